-- The legs of every transfer, signed: debit is positive. Each transaction's legs add up to zero.
CREATE VIEW posting AS
    SELECT "transaction", period, debit AS account, amount FROM transfer
    UNION ALL
    SELECT "transaction", period, credit, -amount FROM transfer;
