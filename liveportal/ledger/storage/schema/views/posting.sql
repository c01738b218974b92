-- The legs of every transfer, signed: debits are positive. The legs of a transaction sum to zero.
CREATE VIEW posting AS
    SELECT "transaction", period, debit AS account, amount FROM transfer
    UNION ALL
    SELECT "transaction", period, credit, -amount FROM transfer;
