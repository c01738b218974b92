-- How many sessions fell in each month, and how many claims, disputes and refunds were made in it.
CREATE VIEW month_count AS
SELECT period, sum(gross_minor > 0) AS sessions, sum(gross_minor = 0) AS free_sessions,
       -- In two sums: microseconds of a long book would not fit into one.
       sum(billed_us / 1000000 * (gross_minor > 0)) AS billed_s,
       sum(billed_us % 1000000 * (gross_minor > 0)) AS billed_rest_us,
       0 AS claims, 0 AS disputes, 0 AS refunds
FROM session WHERE period IS NOT NULL GROUP BY period
UNION ALL
SELECT period, 0, 0, 0, 0, count(*), 0, 0 FROM claim GROUP BY period
UNION ALL
SELECT period, 0, 0, 0, 0, 0, count(*), 0 FROM dispute GROUP BY period
UNION ALL
SELECT period, 0, 0, 0, 0, 0, 0, count(*) FROM "transaction" WHERE kind = 'refund' GROUP BY period;
