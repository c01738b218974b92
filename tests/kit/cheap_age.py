"""Locks bytes with a passphrase in the age format, at a work factor that costs nothing.

pyrage measures the machine and takes a second for each; whoever opens a file pays what its header
says. Tests of the strength use pyrage's own.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

WORK_FACTOR = 2


def encrypt(plain: bytes, passphrase: str) -> bytes:
    """Encrypt up to 64 KiB; the age tool and pyrage open it with the passphrase."""
    file_key, salt, nonce = os.urandom(16), os.urandom(16), os.urandom(16)
    key = hashlib.scrypt(
        passphrase.encode(),
        salt=b"age-encryption.org/v1/scrypt" + salt,
        n=2**WORK_FACTOR,
        r=8,
        p=1,
        dklen=32,
    )
    wrapped = ChaCha20Poly1305(key).encrypt(bytes(12), file_key, None)
    stanza = f"-> scrypt {_base64(salt)} {WORK_FACTOR}\n{_base64(wrapped)}"
    header = f"age-encryption.org/v1\n{stanza}\n---"
    mac = hmac.digest(_hkdf(file_key, b"", b"header"), header.encode(), "sha256")
    # One chunk, the last: its nonce is the counter 0 with the mark of the last.
    chunk = ChaCha20Poly1305(_hkdf(file_key, nonce, b"payload"))
    content = chunk.encrypt(bytes(11) + b"\x01", plain, None)
    return f"{header} {_base64(mac)}\n".encode() + nonce + content


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode().rstrip("=")


def _hkdf(key: bytes, salt: bytes, purpose: bytes) -> bytes:
    """Derive 32 bytes by HKDF with SHA-256."""
    extracted = hmac.digest(salt or bytes(32), key, "sha256")
    return hmac.digest(extracted, purpose + b"\x01", "sha256")
