"""Encrypted values can be decrypted only in their own row and column, with the ledger's key."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from keyring.backends import chainer, fail, null

from liveportal.domain import errors
from liveportal.domain.policy import Policy
from liveportal.domain.profile.fields import FIELDS, Value, changes
from liveportal.exports import events as exports
from liveportal.feeds import exported
from liveportal.ledger import imports
from liveportal.ledger.backup.key_check import has_identity, key_in_backup
from liveportal.ledger.format.serialisation import journal
from liveportal.ledger.secrets import key_store
from liveportal.ledger.secrets.encrypted_fields import EncryptedFields
from liveportal.ledger.secrets.identity import IdentityKey
from liveportal.ledger.secrets.key_store import KEYRING_VARIABLE, Keys, key_id, new_key
from liveportal.ledger.storage import connection
from liveportal.ledger.storage.driver import Connection
from liveportal.ledger.verify.verify import verify
from liveportal.portal import Portal
from liveportal.services.defaults import utc_now
from tests.kit.ledger_files import query

pytestmark = pytest.mark.slow


IBAN = "DE89370400440532013000"
SECRET = {"name": "Anna", "iban": IBAN, "country": "DE", "tax_number": "65 929 970 489"}

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes of this kind")


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the developer's own keyring alone."""
    monkeypatch.setenv(KEYRING_VARIABLE, "off")


def fill(path: Path, texts: dict[str, str], *, key: str | None = None, afresh: bool = False) -> str:
    """Change the profile, and return the status of the outcome."""
    with Portal(path) as portal:
        outcome = portal.fill_profile(changes(texts, afresh=afresh), lambda _: None, key=key)
    return outcome.status if outcome else "unchanged"


@contextmanager
def seals(path: Path) -> Iterator[EncryptedFields]:
    """Open the sealed values of a ledger."""
    with closing(connection.open_file(path, readonly=True)) as db:
        yield EncryptedFields(db, path)


def values(path: Path) -> dict[str, str]:
    """Return the values in force, in full."""
    with seals(path) as opened:
        return {name: value.plain for name, value in opened.values().items()}


def key_file(path: Path) -> Path:
    """Return where the key of a ledger is kept."""
    return path.with_name(f"{path.name}.key")


def kept(path: Path) -> list[str]:
    """Return the ids of the keys in a key file."""
    lines = key_file(path).read_text("ascii").splitlines()
    return [line.split()[0] for line in lines if not line.startswith("#")]


def used(path: Path) -> set[str]:
    """Return the ids of the keys that a ledger's rows are sealed with."""
    rows = query(
        path, "SELECT key_id FROM sealed_value UNION SELECT sealed_by FROM fingerprint_key"
    )
    return {name for (name,) in rows}


# --- sealing --------------------------------------------------------------------------------------

texts = st.text(max_size=200).filter(lambda text: text.isprintable())


@given(
    st.dictionaries(
        st.sampled_from(sorted(FIELDS.keys() - {"bic"})), texts | st.just("\x80\0\x80"), max_size=4
    )
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_sealed_opens_again(tmp_path: Path, texts: dict[str, str]) -> None:
    """Any text, also one that looks like padding; the plain text is not in the file."""
    path = tmp_path / f"{os.urandom(8).hex()}.db"
    Portal.create(path, Policy())
    fill(path, texts)
    assert values(path) == {name: text for name, text in texts.items() if text}


def test_facts_are_plain_and_all_else_is_sealed(ledger: Path) -> None:
    """The data for deadlines is readable without the key, and nothing else."""
    fill(ledger, SECRET)
    key_file(ledger).unlink()
    assert query(ledger, "SELECT field, value FROM profile_fact") == [("country", "DE")]
    sealed = query(ledger, "SELECT field FROM sealed_value ORDER BY field")
    assert sealed == [("iban",), ("name",), ("tax_number",)]
    content = b"".join(path.read_bytes() for path in ledger.parent.iterdir())
    assert b"Anna" not in content
    assert b"3704" not in content


@given(
    st.text("0123456789", min_size=1, max_size=40), st.text("0123456789", min_size=1, max_size=40)
)
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_length_reveals_no_number(tmp_path: Path, one: str, other: str) -> None:
    """Texts are padded; an equal text is encrypted differently each time."""
    lengths = set()
    bodies = []
    for text in (one, other, one):
        path = tmp_path / f"{os.urandom(8).hex()}.db"
        Portal.create(path, Policy())
        fill(path, {"us_account": text})
        ((body,),) = query(path, "SELECT body FROM sealed_value")
        lengths.add(len(body))
        bodies.append(body)
    assert len(lengths) == 1
    assert len(set(bodies)) == 3


def broken(path: Path) -> errors.LiveportalError:
    """Return the error with which values do not open; it holds nothing of them."""
    with pytest.raises((errors.DecryptionFailed, errors.KeyNotFound)) as caught:
        values(path)
    assert IBAN not in repr((caught.value, vars(caught.value)))
    return caught.value


def test_every_corrupted_byte_is_found(ledger: Path) -> None:
    """Of the sealed bytes, of the nonce, and one more or one less of either."""
    fill(ledger, {"iban": IBAN})
    for column in ("body", "nonce"):
        ((good,),) = query(ledger, f"SELECT {column} FROM sealed_value")  # noqa: S608
        wrong = [good[:n] + bytes([good[n] ^ 1]) + good[n + 1 :] for n in range(len(good))]
        for bad in (*wrong, good[:-1], good + b"\0", b""):
            query(ledger, f"UPDATE sealed_value SET {column} = ?", bad)  # noqa: S608
            assert broken(ledger).code == "sealed_value_unreadable"
        query(ledger, f"UPDATE sealed_value SET {column} = ?", good)  # noqa: S608
    assert values(ledger) == {"iban": IBAN}


@pytest.mark.damages
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE sealed_value SET field = 'us_account' WHERE field = 'iban'",
        "UPDATE sealed_value SET seq = 1",
        """UPDATE sealed_value SET field = 'x' WHERE field = 'iban';
        UPDATE sealed_value SET field = 'iban' WHERE field = 'name';
        UPDATE sealed_value SET field = 'name' WHERE field = 'x'""",
        "UPDATE fingerprint_key SET key_id = 'x'",
        """UPDATE sealed_value SET nonce = (SELECT nonce FROM fingerprint_key),
        body = (SELECT body FROM fingerprint_key) WHERE field = 'iban'""",
    ],
)
def test_a_value_opens_in_its_own_place_only(ledger: Path, change: str) -> None:
    """Not in another field, of another event, in another table; nor does another's there."""
    fill(ledger, SECRET)
    with closing(Connection(str(ledger))) as db:
        db.executescript(change)
    with pytest.raises(errors.DecryptionFailed), seals(ledger) as opened:
        opened.disproved(opened.values())


@pytest.mark.damages
def test_a_value_opens_in_its_own_book_only(ledger: Path, tmp_path: Path) -> None:
    """Another ledger's value does not open here, even under the same key."""
    other = tmp_path / "other.db"
    Portal.create(other, Policy())
    for path in (ledger, other):
        fill(path, {"iban": IBAN})
    rows = query(ledger, "SELECT * FROM sealed_value")
    marks = query(ledger, "SELECT * FROM fingerprint_key")
    query(other, "DELETE FROM sealed_value")
    query(other, "DELETE FROM fingerprint_key")
    query(other, "INSERT INTO sealed_value VALUES (?, ?, ?, ?, ?)", *rows[0])
    query(other, "INSERT INTO fingerprint_key VALUES (?, ?, ?, ?)", *marks[0])
    key_file(other).write_bytes(key_file(ledger).read_bytes())
    assert broken(other).code == "sealed_value_unreadable"


@pytest.mark.damages
def test_a_value_opens_in_its_own_column_only(ledger: Path) -> None:
    """A value encrypted for another table cannot be decrypted here, whatever its row id."""
    fill(ledger, {"iban": IBAN})
    with seals(ledger) as opened:
        sealed = opened._encrypt(b"x", "fingerprint_key.body", "iban", 2)  # noqa: SLF001
        own = opened._encrypt(b"x", "sealed_value.body", "iban", 2)  # noqa: SLF001
    query(ledger, "UPDATE sealed_value SET key_id = ?, nonce = ?, body = ?", *own)
    assert values(ledger) == {"iban": "x"}
    query(ledger, "UPDATE sealed_value SET key_id = ?, nonce = ?, body = ?", *sealed)
    assert broken(ledger).code == "sealed_value_unreadable"


def test_what_is_replaced_is_gone(ledger: Path) -> None:
    """The old sealed bytes are neither in a free page nor in the log; the newest value wins."""
    with closing(
        connection.open_file(ledger, readonly=True)
    ):  # So that the log outlives a command.
        fill(ledger, {"iban": IBAN})
        ((old,),) = query(ledger, "SELECT body FROM sealed_value")
        assert any(old in path.read_bytes() for path in ledger.parent.iterdir())
        fill(ledger, {"iban": "FR1420041010050500013M02606"})
        assert not any(old in path.read_bytes() for path in ledger.parent.iterdir())
    assert values(ledger) == {"iban": "FR1420041010050500013M02606"}
    fill(ledger, {"iban": ""})
    assert values(ledger) == {}


# --- events ---------------------------------------------------------------------------------------


def test_the_same_again_is_no_event(ledger: Path) -> None:
    """Nothing is recorded where nothing differs."""
    assert [fill(ledger, SECRET), fill(ledger, SECRET)] == ["recorded", "unchanged"]
    assert fill(ledger, SECRET | {"name": "Bob"}) == "recorded"
    assert fill(ledger, {"paypal": ""}) == "unchanged"


def test_a_key_names_a_change_for_ever(ledger: Path) -> None:
    """Also after another change, and after the book's key was changed for another."""
    assert fill(ledger, SECRET, key="k") == "recorded"
    assert fill(ledger, {"name": "Bob"}) == "recorded"
    assert fill(ledger, SECRET, key="k") == "replayed"
    with Portal(ledger) as portal:
        portal.rotate_key()
    assert fill(ledger, SECRET, key="k") == "replayed"
    assert values(ledger)["name"] == "Bob"
    with pytest.raises(errors.Conflict) as caught:
        fill(ledger, SECRET | {"iban": "x"}, key="k")
    assert caught.value.fields == ["fingerprints"]
    with pytest.raises(errors.Conflict):
        fill(ledger, {"name": "Anna"}, key="k")


@pytest.mark.damages
def test_the_journal_proves_which_value_was_in_force(ledger: Path) -> None:
    """A fact that was changed behind the journal's back is found, before and after a rotation."""
    fill(ledger, SECRET)
    with Portal(ledger) as portal:
        portal.rotate_key()
    fill(ledger, {"name": "Bob"})
    with seals(ledger) as opened:
        assert opened.disproved(opened.values()) == []
    query(ledger, "UPDATE profile_fact SET value = 'US' WHERE field = 'country'")
    with seals(ledger) as opened:
        assert opened.disproved(opened.values()) == ["country"]


def test_a_fingerprint_tells_nothing_without_the_key(tmp_path: Path) -> None:
    """The same value of two books, or of two fields, has two fingerprints; of one book, one."""
    marks: list[str] = []
    for name in ("a.db", "b.db"):
        path = tmp_path / name
        Portal.create(path, Policy())
        fill(path, {"us_account": "12345678", "us_routing": "12345678"})
        fill(path, {"us_account": "1"})
        fill(path, {"us_account": "12345678"})
        rows = query(
            path,
            "SELECT facts ->> '$.fingerprints.us_account', facts ->> '$.fingerprints.us_routing'"
            " FROM event WHERE seq IN (2, 4) ORDER BY seq",
        )
        assert rows[0][0] == rows[1][0]
        marks += rows[0]
    assert len(set(marks)) == 4
    assert all(len(mark) == 64 for mark in marks)


def test_the_ledger_still_verifies(ledger: Path) -> None:
    """Encrypted values are not derived; a cleared field is cleared in a replay, too."""
    fill(ledger, SECRET)
    fill(ledger, {"iban": "", "method": "paypal"})
    with closing(connection.open_file(ledger, readonly=True)) as db:
        assert verify(db).events == 3


def test_a_refused_change_leaves_nothing(ledger: Path) -> None:
    """Neither an event nor a value; a key that nothing is sealed with is only a key."""

    def refuse(_force: object) -> None:
        raise errors.IncompleteProfile("no")

    with Portal(ledger) as portal, pytest.raises(errors.IncompleteProfile):
        portal.fill_profile(changes(SECRET), refuse)
    assert not key_file(ledger).exists()
    assert query(ledger, "SELECT count(*) FROM event") == [(1,)]


def test_a_dry_run_makes_no_key(ledger: Path) -> None:
    """It seals under a key that is forgotten, in a transaction that is."""
    before = query(ledger, "SELECT count(*) FROM event")
    with Portal(ledger, dry_run=True) as portal:
        outcome = portal.fill_profile(changes(SECRET), lambda _: None)
        assert outcome
    assert not key_file(ledger).exists()
    assert query(ledger, "SELECT count(*) FROM event") == before
    fill(ledger, SECRET)
    content = key_file(ledger).read_bytes()
    with Portal(ledger, dry_run=True) as portal:
        assert portal.rotate_key()[1:3] == (None, 3)
    assert key_file(ledger).read_bytes() == content
    assert values(ledger) == SECRET


# --- the key file ---------------------------------------------------------------------------------


@posix
def test_the_key_file_is_its_owners_alone(ledger: Path) -> None:
    """Made with mode 0600 beside the ledger, also where that is opened through a link."""
    link = ledger.parent / "link.db"
    link.symlink_to(ledger)
    fill(link, SECRET)
    assert key_file(ledger).stat().st_mode & 0o777 == 0o600
    assert not key_file(link).exists()
    assert values(link) == values(ledger) == SECRET


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_key_that_others_may_read_is_refused(ledger: Path, mode: int) -> None:
    """It may have been read, so it is reported and not used."""
    fill(ledger, SECRET)
    key_file(ledger).chmod(mode)
    for attempt in (lambda: values(ledger), lambda: fill(ledger, {"name": "Bob"})):
        with pytest.raises(errors.UnsafeKey, match="others"):
            attempt()


@posix
def test_a_key_file_that_is_a_link_is_neither_read_nor_written(ledger: Path) -> None:
    """Also a broken one, and a folder; nothing is written through it."""
    fill(ledger, SECRET)
    elsewhere = ledger.parent / "elsewhere"
    key_file(ledger).rename(elsewhere)
    before = elsewhere.read_bytes()
    for target in (elsewhere, ledger.parent / "nowhere"):
        key_file(ledger).symlink_to(target)
        for profile in (SECRET, {"name": "Bob"}):
            with pytest.raises(errors.UnsafeKey, match="link"):
                fill(ledger, profile, afresh=profile is SECRET)
        key_file(ledger).unlink()
    assert elsewhere.read_bytes() == before
    assert not (ledger.parent / "nowhere").exists()
    key_file(ledger).mkdir()
    with pytest.raises(errors.UnsafeKey):
        values(ledger)


def test_what_a_crash_left_is_tidied_up(ledger: Path) -> None:
    """A half-written key file has a name of its own, and goes with the next one that is written."""
    left = ledger.with_name(f".{key_file(ledger).name}.part")
    left.write_bytes(b"half a key")
    fill(ledger, SECRET)
    assert not left.exists()
    assert key_file(ledger).stat().st_mode & 0o777 == 0o600 or sys.platform == "win32"


def test_a_key_that_is_lost_and_one_that_is_another(ledger: Path) -> None:
    """Both exit with 3: nothing is damaged. A file that is not a key is not guessed at."""
    fill(ledger, SECRET)
    good = key_file(ledger).read_bytes()
    key_file(ledger).unlink()
    assert isinstance(broken(ledger), errors.NotFound)
    assert broken(ledger).code == "key_not_found"
    (needed,) = used(ledger)
    Keys(ledger, "").save({key_id(other): other for other in [new_key()]}, first=True)
    assert isinstance(broken(ledger), errors.NotFound)
    assert broken(ledger).code == "wrong_key"
    assert broken(ledger).details == {"needed": needed, "found": list(kept(ledger))}
    for bad in (b"x", good[:-10], good.replace(b"\n", b" \n"), b"\xff\xfe", good[-60:-40] * 2):
        key_file(ledger).write_bytes(bad)
        assert broken(ledger).code == "wrong_key"
    key_file(ledger).write_bytes(good)
    assert values(ledger) == SECRET


@pytest.mark.parametrize("state", ["lost", "damaged", "there"])
def test_beginning_anew(ledger: Path, state: str) -> None:
    """The way out when the key is lost: everything is forgotten, under a new key."""
    fill(ledger, SECRET)
    (old,) = kept(ledger)
    if state == "lost":
        key_file(ledger).unlink()
    if state == "damaged":
        key_file(ledger).write_bytes(b"x")
    assert fill(ledger, {"name": "Bob"}, afresh=True) == "recorded"
    assert values(ledger) == {"name": "Bob"}
    assert kept(ledger) == list(used(ledger)) != [old]
    assert query(ledger, "SELECT name FROM profile_field") == [("name",)]


def test_a_ledger_without_a_folder_to_keep_a_key_in(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that cannot be kept seals nothing."""

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(errors.DiskFull):
        fill(ledger, SECRET)
    monkeypatch.undo()
    assert query(ledger, "SELECT count(*) FROM event") == [(1,)]
    assert not [path for path in ledger.parent.iterdir() if "key" in path.name]


# --- rotation -------------------------------------------------------------------------------------


def rotate(path: Path) -> tuple[str, str | None, int]:
    """Change the key of a ledger."""
    with Portal(path) as portal:
        return portal.rotate_key()[:3]


def test_rotation_seals_everything_anew_and_drops_the_old_key(ledger: Path) -> None:
    """One key before, another after, the same values, and no old bytes in any file."""
    fill(ledger, SECRET)
    (old,) = kept(ledger)
    bodies = [body for (body,) in query(ledger, "SELECT body FROM sealed_value")]
    name, where, count = rotate(ledger)
    assert (kept(ledger), used(ledger)) == ([name], {name})
    assert name != old
    assert (where, count) == (str(key_file(ledger)), 3)
    assert values(ledger) == SECRET
    for body in bodies:
        assert not any(body in path.read_bytes() for path in ledger.parent.iterdir())
    rotate(ledger)
    assert values(ledger) == SECRET


def test_there_is_nothing_to_rotate(ledger: Path) -> None:
    """A ledger in which nothing was sealed has no key."""
    with pytest.raises(errors.KeyNotFound):
        rotate(ledger)


class Crash(BaseException):
    """The power fails."""


def _crash(*_args: object, **_more: object) -> None:
    raise Crash


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("where", ["before", "kept", "sealed", "committed"])
def test_a_crash_at_any_point_of_a_rotation(
    ledger: Path, monkeypatch: pytest.MonkeyPatch, where: str, again: bool
) -> None:
    """One of the stored keys decrypts the values; the next rotation cleans up."""
    fill(ledger, SECRET)
    (old,) = kept(ledger)
    if where == "before":
        monkeypatch.setattr(Keys, "save", _crash)
    if where == "kept":
        save = Keys.save

        def saved(self: Keys, new: dict[str, bytes], *, first: bool) -> str:
            save(self, new, first=first)
            raise Crash

        monkeypatch.setattr(Keys, "save", saved)
    if where == "sealed":
        monkeypatch.setattr(EncryptedFields, "_insert_sealed", _crash)
    if where == "committed":
        monkeypatch.setattr(EncryptedFields, "prune", _crash)
    with pytest.raises(Crash):
        rotate(ledger)
    monkeypatch.undo()
    monkeypatch.setenv(KEYRING_VARIABLE, "off")
    assert len(kept(ledger)) == (1 if where == "before" else 2)
    assert (used(ledger) == {old}) == (where != "committed")
    assert values(ledger) == SECRET
    if again:
        assert fill(ledger, {"name": "Bob"}) == "recorded"
    rotate(ledger)
    assert len(kept(ledger)) == 1
    assert set(kept(ledger)) == used(ledger)
    assert values(ledger) == (SECRET | {"name": "Bob"} if again else SECRET)


def test_the_first_key_outlives_a_crash(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is stored before it encrypts anything; a second attempt starts over."""
    monkeypatch.setattr(EncryptedFields, "put", _crash)
    with pytest.raises(Crash):
        fill(ledger, SECRET)
    monkeypatch.undo()
    monkeypatch.setenv(KEYRING_VARIABLE, "off")
    assert fill(ledger, SECRET) == "recorded"
    assert values(ledger) == SECRET
    assert set(kept(ledger)) == used(ledger)


def test_another_process_changed_the_key_meanwhile(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that was looked up too early is looked up again, under the lock."""
    fill(ledger, SECRET)
    ready, calls = EncryptedFields.ready, []

    def too_early(self: EncryptedFields, *, afresh: bool = False) -> None:
        ready(self, afresh=afresh)
        calls.append(self)
        if len(calls) == 1:  # And not when the other program gets ready itself.
            rotate(ledger)

    monkeypatch.setattr(EncryptedFields, "ready", too_early)
    assert fill(ledger, {"name": "Bob"}) == "recorded"
    assert len(calls) == 2
    assert values(ledger) == SECRET | {"name": "Bob"}


def test_many_at_once_for_the_first_time(ledger: Path) -> None:
    """The key is made under the ledger's lock: one key, and every value opens."""
    fields = ("name", "email", "paypal", "address", "us_routing")
    failed: list[BaseException] = []

    def work(field: str) -> None:
        try:
            fill(ledger, {field: field})
        except BaseException as error:  # noqa: BLE001 -- Told by the assertion below.
            failed.append(error)

    threads = [threading.Thread(target=work, args=(field,)) for field in fields]
    for thread in threads:
        thread.start()
    for each in threads:
        each.join()
    assert failed == []
    assert values(ledger) == {field: field for field in fields}
    assert set(kept(ledger)) == used(ledger)


# --- the keyring ----------------------------------------------------------------------------------


class Ring(KeyringBackend):
    """A keyring that works."""

    priority = 5.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        """Return the stored password."""
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep it."""
        self.kept[service, username] = password


class Locked(Ring):
    """A locked keyring whose error repeats the secret: the program must not."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Refuse."""
        raise RuntimeError(f"locked: {service} {username} {password}")

    def get_password(self, service: str, username: str) -> str | None:
        """Refuse."""
        raise RuntimeError(f"locked: {service} {username}")


class Silent(Ring):
    """A keyring whose bus hangs."""

    def get_password(self, service: str, username: str) -> str | None:
        """Answer after the time limit."""
        threading.Event().wait(30)
        return super().get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store it after the time limit."""
        threading.Event().wait(30)
        super().set_password(service, username, password)


class Forgetful(Ring):
    """A keyring that takes everything and keeps nothing."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Forget it."""


class PlaintextKeyring(Ring):
    """A file of plain text, which others call a keyring."""


class Weak(Ring):
    """A backend that its own makers do not recommend."""

    priority = 0.5


for each in (Ring, Locked, Silent, Forgetful, PlaintextKeyring, Weak):
    KeyringBackend._classes.discard(each)  # noqa: SLF001 -- No other test may find them.


def use(monkeypatch: pytest.MonkeyPatch, ring: KeyringBackend) -> None:
    """Make a keyring that of the system."""
    monkeypatch.delenv(KEYRING_VARIABLE, raising=False)
    monkeypatch.setattr("keyring.core._keyring_backend", ring)
    monkeypatch.setattr(key_store, "KEYRING_SECONDS", 0.3 if isinstance(ring, Silent) else 10.0)


def test_the_key_is_in_the_keyring_where_there_is_one(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under the program's name and the book's; no file is made, and a rotation stays there."""
    ring = Ring()
    use(monkeypatch, ring)
    fill(ledger, SECRET)
    assert values(ledger) == SECRET
    ((book,),) = query(ledger, "SELECT hex(hash) FROM event WHERE seq = 1")
    assert list(ring.kept) == [("liveportal", book.lower())]
    name, where, _ = rotate(ledger)
    assert (where, used(ledger)) == ("keyring", {name})
    assert [text.split()[0] for text in ring.kept.values()] == [name]
    assert values(ledger) == SECRET
    assert not key_file(ledger).exists()
    monkeypatch.setenv(KEYRING_VARIABLE, "OFF")
    assert broken(ledger).code == "key_not_found"


def test_the_identity_key_is_in_the_keyring_too(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the same entry, before and after the book's own key, and an encrypted backup has it."""
    ring = Ring()
    use(monkeypatch, ring)
    with closing(connection.open_file(ledger, readonly=False)) as db:
        with connection.immediate_transaction(db, ledger):
            first = IdentityKey(db, ledger).fingerprint("paypal:ana@example.com")
        fill(ledger, SECRET)
        rotate(ledger)
        assert IdentityKey(db, ledger).fingerprint("paypal:ana@example.com") == first
        (text,) = ring.kept.values()
        assert [line.split("-")[0] for line in text.splitlines()][1:] == ["identity"]
        assert not key_file(ledger).exists()
        state, carried = key_in_backup(
            used(ledger).pop(),
            Keys(ledger, next(iter(ring.kept))[1]),
            is_locked=True,
            has_identity=has_identity(db),
        )
    assert state == "in_keyring"
    assert carried is not None
    assert carried.startswith("identity-")
    assert "\n" not in carried.rstrip("\n"), "the book's own key stays in the keyring"
    assert values(ledger) == SECRET


@pytest.mark.parametrize(
    "kind",
    [null.Keyring, fail.Keyring, PlaintextKeyring, Weak, Locked, Silent, Forgetful],
)
def test_what_is_no_working_keyring_is_left_alone(
    ledger: Path, monkeypatch: pytest.MonkeyPatch, kind: Callable[[], KeyringBackend]
) -> None:
    """One that fails, forgets, hangs, or writes plain text: the first key goes to the file."""
    use(monkeypatch, ring := kind())
    fill(ledger, SECRET)
    assert values(ledger) == SECRET
    assert set(kept(ledger)) == used(ledger)
    assert not getattr(ring, "kept", None)


@pytest.mark.parametrize("ring", [Locked(), Silent()], ids=["locked", "silent"])
def test_a_keyring_that_does_not_answer(
    ledger: Path, monkeypatch: pytest.MonkeyPatch, ring: Ring
) -> None:
    """The key may be in it: that is reported, nothing changes, and a retry may help."""
    use(monkeypatch, good := Ring())
    fill(ledger, SECRET)
    use(monkeypatch, ring)
    for attempt in (lambda: values(ledger), lambda: rotate(ledger)):
        with pytest.raises(errors.KeyringUnavailable) as caught:
            attempt()
        assert isinstance(caught.value, errors.Busy)
        assert "locked:" not in caught.value.message
    use(monkeypatch, good)
    assert values(ledger) == SECRET


def test_a_keyring_that_fails_in_the_midst_of_a_rotation(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new key cannot be kept, so nothing is sealed with it."""
    ring = Ring()
    use(monkeypatch, ring)
    fill(ledger, SECRET)
    with monkeypatch.context() as patch:
        patch.setattr(Ring, "set_password", Locked.set_password)
        with pytest.raises(errors.KeyringUnavailable):
            rotate(ledger)
    assert values(ledger) == SECRET


def test_one_that_asks_all_others_is_not_asked_itself(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would keep the key in whichever takes it, plain text included."""
    plain, good = PlaintextKeyring(), Ring()
    monkeypatch.setattr(chainer.ChainerBackend, "backends", [plain, good])
    chain: Callable[[], KeyringBackend] = chainer.ChainerBackend
    use(monkeypatch, chain())
    fill(ledger, SECRET)
    assert good.kept
    assert not plain.kept


def test_without_the_library_there_is_a_file(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The keyring is an extra."""
    monkeypatch.delenv(KEYRING_VARIABLE)
    monkeypatch.setitem(sys.modules, "keyring", None)
    fill(ledger, SECRET)
    assert set(kept(ledger)) == used(ledger)


def test_values_are_those_of_the_domain(ledger: Path) -> None:
    """In the order of fields, masked unless asked for."""
    fill(ledger, SECRET)
    with seals(ledger) as opened:
        decrypted = opened.values()
    assert list(decrypted) == [name for name in FIELDS if name in SECRET]
    assert decrypted["iban"] == Value("iban", IBAN)
    assert str(decrypted["iban"]) == "**** 3000"


@pytest.mark.parametrize("afresh", [False, True])
def test_an_imported_ledger_leaves_the_key_of_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, afresh: bool
) -> None:
    """Without a machine's id both have one name in the keyring; the key that is there stays."""
    monkeypatch.setattr("liveportal.ledger.secrets.machine_id.this_machine", lambda: None)
    ring = Ring()
    use(monkeypatch, ring)
    ledger, copy = tmp_path / "ledger.db", tmp_path / "copy.db"
    Portal.create(ledger, Policy())
    fill(ledger, SECRET)
    with closing(connection.open_file(ledger, readonly=True)) as db:
        lines = [exports.line(e.event, e.recorded_at, erased=e.erased) for e in journal(db)]
    content = "\n".join(lines).encode()
    chunks = exported.events(BytesIO(content), exported.summarise(BytesIO(content)).digest)
    imports.import_events(copy, chunks, imports.Target.NEW, utc_now)
    fill(copy, SECRET, afresh=afresh)
    assert len(ring.kept) == 1
    assert values(ledger) == values(copy) == SECRET
