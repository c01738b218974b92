-- What was said is found by parts of words and in every script: the index has every three letters in
-- a row, folded as `liveportal.domain.words` does it, and keeps no text. The program fills it.
DROP TRIGGER message_indexed;
DROP TRIGGER message_erased;
DROP TABLE message_index;

CREATE VIRTUAL TABLE message_index USING fts5 (
    text, content='', detail='none', tokenize='trigram case_sensitive 1'
);

-- By which version of the program's readers a transcript was read; none: by the first.
CREATE TABLE transcript (
    artifact INTEGER NOT NULL CONSTRAINT transcript_pk PRIMARY KEY
        CONSTRAINT transcript_artifact REFERENCES artifact (seq),
    reader INTEGER NOT NULL
) STRICT;
