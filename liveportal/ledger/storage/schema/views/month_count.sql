-- The counts of each month: sessions and their minutes as booked, each correction in the month of its
-- own time; and claims, disputes and refunds.
CREATE VIEW month_count AS
SELECT period, sum(sessions) AS sessions, sum(free_sessions) AS free_sessions,
       -- In two sums: microseconds of a long book would not fit into one.
       sum(billed_us / 1000000) AS billed_s, sum(billed_us % 1000000) AS billed_rest_us,
       0 AS claims, 0 AS disputes, 0 AS refunds
FROM session_count GROUP BY period
UNION ALL
SELECT period, 0, 0, 0, 0, count(*), 0, 0 FROM claim GROUP BY period
UNION ALL
SELECT period, 0, 0, 0, 0, 0, count(*), 0 FROM dispute GROUP BY period
UNION ALL
SELECT period, 0, 0, 0, 0, 0, 0, count(*) FROM "transaction" WHERE kind = 'refund' GROUP BY period;
