-- Up to which event an earlier edition of the rules judged. A replay judges each event by the edition
-- of its time, so that what an earlier version booked stays as it was booked.
CREATE TABLE former_rules (
    edition INTEGER NOT NULL CONSTRAINT former_rules_pk PRIMARY KEY,
    until_seq INTEGER NOT NULL
) STRICT;
INSERT INTO former_rules (edition, until_seq) SELECT 1, seq FROM event ORDER BY seq DESC LIMIT 1;

-- The last bill that was given from outside; null where the gross is our own calculation. A
-- correction of the times keeps it.
ALTER TABLE session ADD COLUMN billed_minor INTEGER;
UPDATE session SET billed_minor = gross_minor WHERE state = 'ended' AND (
    SELECT json_extract(event.facts, '$.billed') IS NOT NULL
    FROM statement JOIN event USING (seq)
    WHERE thing = 'session:' || session.id AND (
        (statement.type IN ('session.ended', 'session.logged', 'session.corrected')
            AND confirms IS NULL)
        OR (statement.type = 'session.ended' AND json_extract(event.facts, '$.billed') IS NOT NULL)
    )
    ORDER BY seq DESC LIMIT 1
);
