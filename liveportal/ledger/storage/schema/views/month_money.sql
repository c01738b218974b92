-- The amounts moved in each month, one column for each figure; a single level over the flows.
CREATE VIEW month_money AS
SELECT
    period,
    sum(amount * ((credit = 'income:sessions') - (debit = 'income:sessions'))) AS gross,
    sum(
        amount * (
            (debit = 'expenses:platform-fee' AND credit = 'income:sessions')
            - (debit = 'income:sessions' AND credit = 'expenses:platform-fee')
        )
    ) AS fee,
    sum(amount * ((debit = 'income:refunds') - (credit = 'income:refunds'))) AS refunded,
    -- What of a refund the platform's fee did not bear.
    sum(amount * (debit = 'income:refunds' AND credit <> 'expenses:platform-fee')) AS deducted,
    sum(amount * ((credit = 'income:tips') - (debit = 'income:tips'))) AS tips,
    sum(
        amount * ((credit = 'income:adjustments') - (debit = 'income:adjustments'))
    ) AS adjustments,
    sum(amount * ((debit = 'assets:platform') - (credit = 'assets:platform'))) AS owed,
    sum(amount * ((debit = 'assets:platform:held') - (credit = 'assets:platform:held'))) AS held,
    sum(amount * ((debit = 'assets:transit') - (credit = 'assets:transit'))) AS in_transit,
    -- What the platform paid: what arrived, and what was charged for the transfer.
    sum(
        amount * (
            (debit IN ('assets:bank', 'expenses:transfer-fee'))
            - (credit IN ('assets:bank', 'expenses:transfer-fee'))
        )
    ) AS paid_out,
    sum(
        amount * ((debit = 'expenses:transfer-fee') - (credit = 'expenses:transfer-fee'))
    ) AS transfer_fees
FROM month_flow
GROUP BY period;
