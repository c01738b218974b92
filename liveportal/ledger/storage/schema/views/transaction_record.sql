-- The Transaction Record: every transaction with its effect on earnings and on the balance owed.
CREATE VIEW transaction_record AS
SELECT
    entry.id, entry.seq, entry.time, entry.period, entry.kind,
    entry.session, entry.claim, entry.payout, entry.adjustment,
    coalesce(sum(amount * (
        (credit IN ('income:sessions', 'income:refunds'))
        - (debit IN ('income:sessions', 'income:refunds'))
    )), 0) AS gross,
    coalesce(sum(amount * (
        (debit = 'expenses:platform-fee') - (credit = 'expenses:platform-fee')
    )), 0) AS fee,
    -- A transfer fee costs assets, but no earnings.
    coalesce(sum(amount * (
        (substr(debit, 1, 7) = 'assets:' OR debit = 'expenses:transfer-fee')
        - (substr(credit, 1, 7) = 'assets:' OR credit = 'expenses:transfer-fee')
    )), 0) AS net,
    coalesce(sum(amount * ((debit = 'assets:platform') - (credit = 'assets:platform'))), 0) AS owed,
    coalesce(sum(amount * (
        (debit = 'expenses:transfer-fee') - (credit = 'expenses:transfer-fee')
    )), 0) AS transfer_fee
FROM "transaction" AS entry LEFT JOIN transfer ON transfer."transaction" = entry.id
-- By the first alone there are the same groups; the others let a query ask for one month or session
-- without reading the whole book.
GROUP BY entry.id, entry.seq, entry.period, entry.session;
