-- What was said in a session, message by message: read from the transcripts in the vault, so that it
-- can be searched. Personal throughout: it is erased with the person, and no event depends on it.
CREATE TABLE message (
    id INTEGER NOT NULL CONSTRAINT message_pk PRIMARY KEY,
    artifact INTEGER NOT NULL CONSTRAINT message_artifact REFERENCES artifact (seq),
    n INTEGER NOT NULL,
    offset_ms INTEGER,
    speaker TEXT,
    text TEXT NOT NULL,
    CONSTRAINT message_once UNIQUE (artifact, n)
) STRICT;

CREATE VIRTUAL TABLE message_index USING fts5 (
    text, speaker, content='message', content_rowid='id', tokenize='unicode61 remove_diacritics 2'
);

CREATE TRIGGER message_indexed AFTER INSERT ON message
BEGIN INSERT INTO message_index (rowid, text, speaker) VALUES (NEW.id, NEW.text, NEW.speaker); END;
CREATE TRIGGER message_never_changes BEFORE UPDATE ON message
BEGIN SELECT RAISE(ABORT, 'a message is written once, and only ever erased'); END;
CREATE TRIGGER message_erased AFTER DELETE ON message
BEGIN
    INSERT INTO message_index (message_index, rowid, text, speaker)
    VALUES ('delete', OLD.id, OLD.text, OLD.speaker);
END;
