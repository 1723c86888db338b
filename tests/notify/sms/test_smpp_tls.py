"""SMPP inside TLS: the centre's certificate is checked, and a full window goes both ways."""

import ipaddress
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from meldkamer.notify.carrier import CarrierFault
from tests.notify.sms.centres import Heard, NodeCentre, a_carrier, node_centre, text_of, unopened
from tests.peers import until


def _certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "the centre of the tests")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    at = folder / "key.pem", folder / "certificate.pem"
    at[0].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    at[1].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return at


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[NodeCentre, str]]:
    key, certificate = _certificate(tmp_path_factory.mktemp("tls"))
    octets = ssl.PEM_cert_to_DER_cert(certificate.read_text())
    with node_centre(tls=(key, certificate)) as centre:
        yield centre, sha256(octets).hexdigest()


def test_a_full_window_goes_both_ways(secured: tuple[NodeCentre, str]) -> None:
    centre, fingerprint = secured
    centre.behave(receipt="DELIVRD")
    heard = Heard()
    with (
        a_carrier(centre.port, heard, tls=True, tls_fingerprint=fingerprint, window=20) as carrier,
        ThreadPoolExecutor(20) as pool,
    ):
        refs = list(pool.map(lambda n: carrier.send(text_of(f"no {n} 🔥")), range(200)))
        centre.mo("ok")
        until(lambda: len(heard.receipts) == 200 and heard.replies, "all receipts")
    assert {ref for ref, _, _ in heard.receipts} == set(refs)
    assert len(set(refs)) == 200


def test_a_centre_that_nobody_vouches_for_is_not_talked_to(
    secured: tuple[NodeCentre, str],
) -> None:
    centre, fingerprint = secured
    centre.forget()
    strangers = unopened(centre.port, tls=True)
    with pytest.raises(CarrierFault, match=r"did not agree on TLS.*certificate"):
        strangers.open()
    # nor one that shows another certificate than the one that was entered
    other = unopened(centre.port, tls=True, tls_fingerprint="ab:" * 31 + "ab")
    with pytest.raises(CarrierFault, match=rf"another one, with the SHA-256 {fingerprint}"):
        other.open()
    assert centre.all("bound") == []


def test_the_fingerprint_may_be_written_as_tools_show_it(secured: tuple[NodeCentre, str]) -> None:
    centre, fingerprint = secured
    shown = ":".join(fingerprint[at : at + 2] for at in range(0, 64, 2)).upper()
    with a_carrier(centre.port, tls=True, tls_fingerprint=shown) as carrier:
        assert carrier.send(text_of("x"))


def test_a_plain_connection_to_it_is_told_apart(secured: tuple[NodeCentre, str]) -> None:
    with pytest.raises(CarrierFault):
        unopened(secured[0].port, answer_s=0.5).open()
