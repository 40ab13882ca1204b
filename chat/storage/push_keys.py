"""The key pair by which push services know this site. It is made when it is first asked for, once for all processes."""

from functools import lru_cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from chat import models

ONLY = 1  # the primary key of the only row
# By this browsers are told which site may send to them. Were there another pair, no subscription would be of use.


def private_key() -> ec.EllipticCurvePrivateKey:
    """The site's private key. Two processes that make one at once keep the same: the first that is stored."""
    stored = models.VapidKey.objects.filter(pk=ONLY).first()
    if stored is None:
        made = {"private_key": _as_pem(ec.generate_private_key(ec.SECP256R1()))}
        stored, _ = models.VapidKey.objects.get_or_create(pk=ONLY, defaults=made)
    return _from_pem(stored.private_key)


def public_key() -> bytes:
    """The other half of the pair, as browsers take it: an uncompressed point, 65 bytes."""
    point = serialization.PublicFormat.UncompressedPoint
    return private_key().public_key().public_bytes(serialization.Encoding.X962, point)


def _as_pem(key: ec.EllipticCurvePrivateKey) -> str:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


@lru_cache(maxsize=1)
def _from_pem(pem: str) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key
