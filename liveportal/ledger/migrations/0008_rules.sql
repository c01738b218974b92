-- Which edition of the rules judged an event: from which one on each is in force. A replay judges an
-- event by the edition of its time, so that what an earlier version booked stays as it was booked.
CREATE TABLE rules (
    edition INTEGER NOT NULL CONSTRAINT rules_pk PRIMARY KEY,
    from_seq INTEGER NOT NULL
) STRICT;
INSERT INTO rules (edition, from_seq) VALUES (1, 1);
INSERT INTO rules (edition, from_seq) SELECT 2, coalesce(max(seq), 0) + 1 FROM event;

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
