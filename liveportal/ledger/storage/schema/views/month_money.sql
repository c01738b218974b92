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
    sum(amount * ((debit = 'assets:bank') - (credit = 'assets:bank'))) AS paid_out
FROM month_flow
GROUP BY period;
