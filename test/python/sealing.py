"""The sealed formats once more, from docs/remote-design.md, with python3-cryptography: to check src/sealing against.

Reads one JSON object per line, writes one per line. All bytes are hex. `op` names what to do; an answer of {"error": ...} is a refusal.
"""

import base64
import hashlib
import hmac
import json
import struct
import sys

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

RECORD_MAX = 64 * 1024
OVERHEAD = 142 + 4 + 16 + 64
ZERO_NONCE = bytes(12)


class Refused(Exception):
    pass


def sha256(data):
    return hashlib.sha256(data).digest()


def hmac256(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def hkdf(secret, salt, info, length):
    prk = hmac256(salt or bytes(32), secret)
    out, block, n = b"", b"", 0
    while len(out) < length:
        n += 1
        block = hmac256(prk, block + info + bytes([n]))
        out += block
    return out[:length]


def public_of(secret):
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def dh(secret, public):
    return X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(public))


# Records


def padded_length(length):
    largest = RECORD_MAX - OVERHEAD
    step = 64
    while step < length and step < largest:
        step += step // 4
    return min(step, largest)


def pad(text):
    framed = struct.pack(">I", len(text)) + text
    return framed + bytes(padded_length(len(framed)) - len(framed))


def unpad(padded):
    if len(padded) < 64:
        raise Refused("padding")
    length = struct.unpack(">I", padded[:4])[0]
    text = padded[4 : 4 + length]
    if pad(text) != padded:
        raise Refused("padding")
    return text


def record_key(period_key, salt, hub, head):
    info = b"warren record 1" + hub + head["space"] + head["stream"] + head["sender"]
    return AESGCM(hkdf(period_key, salt, info, 32))


def seal_record(ask):
    head = {name: bytes.fromhex(ask[name]) for name in ("space", "stream", "sender", "prev")}
    hub, salt = bytes.fromhex(ask["hub"]), bytes.fromhex(ask["salt"])
    clear = struct.pack(">BB", 1, ask["kind"]) + head["space"] + head["stream"] + head["sender"]
    clear += struct.pack(">IQ", ask["period"], ask["seq"]) + head["prev"] + struct.pack(">Q", ask["at_ms"]) + salt
    sealed = pad(bytes.fromhex(ask["text"]))
    if ask["kind"] != 5:
        sealed = record_key(bytes.fromhex(ask["period_key"]), salt, hub, head).encrypt(ZERO_NONCE, sealed, hub + clear)
    unsigned = clear + struct.pack(">I", len(sealed)) + sealed
    signer = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(ask["signer"]))
    return {"record": (unsigned + signer.sign(b"warren record 1\0" + hub + unsigned)).hex()}


def open_record(ask):
    data, hub = bytes.fromhex(ask["record"]), bytes.fromhex(ask["hub"])
    if len(data) > RECORD_MAX or len(data) < 142 + 4 + 64 + 64:
        raise Refused("length")
    version, kind = data[0], data[1]
    if version != 1 or not 1 <= kind <= 7:
        raise Refused("version or kind")
    head = {"space": data[2:34], "stream": data[34:42], "sender": data[42:74]}
    period, seq = struct.unpack(">IQ", data[74:86])
    prev, at_ms, salt = data[86:118], struct.unpack(">Q", data[118:126])[0], data[126:142]
    length = struct.unpack(">I", data[142:146])[0]
    if len(data) != 146 + length + 64 or seq == 0:
        raise Refused("length")
    sealed, unsigned, signature = data[146 : 146 + length], data[:-64], data[-64:]
    signer = Ed25519PublicKey.from_public_bytes(bytes.fromhex(ask["signer_public"]))
    signer.verify(signature, b"warren record 1\0" + hub + unsigned)
    if kind != 5:
        key = record_key(bytes.fromhex(ask["period_key"]), salt, hub, head)
        sealed = key.decrypt(ZERO_NONCE, sealed, hub + data[:142])
    fields = {name: value.hex() for name, value in {**head, "prev": prev, "text": unpad(sealed)}.items()}
    return {**fields, "kind": kind, "period": period, "seq": seq, "at_ms": at_ms, "hash": sha256(data).hex()}


# Pairing codes

SCOPES = ["view", "type", "approve", "admin"]


def encode_code(ask):
    address = ask["address"].encode()
    scopes = sum(1 << SCOPES.index(one) for one in ask["scopes"])
    data = bytes([1]) + bytes.fromhex(ask["hub"]) + bytes.fromhex(ask["pairing_key"]) + bytes.fromhex(ask["secret"])
    data += struct.pack(">IB", ask["expires"], scopes) + bytes([len(address)]) + address
    return {"bare": base64.b32encode(data).decode().rstrip("=")}


def decode_code(ask):
    bare = ask["bare"].upper()
    data = base64.b32decode(bare + "=" * (-len(bare) % 8))
    if data[0] != 1 or data[70] != len(data) - 71:
        raise Refused("form")
    expires, scopes = struct.unpack(">IB", data[65:70])
    return {
        "hub": data[1:17].hex(),
        "pairing_key": data[17:49].hex(),
        "secret": data[49:65].hex(),
        "expires": expires,
        "scopes": [one for at, one in enumerate(SCOPES) if scopes >> at & 1],
        "address": data[71:].decode(),
    }


# Noise, revision 34

PATTERNS = {
    "IK": ("Noise_IK_25519_AESGCM_SHA256", [["e", "es", "s", "ss"], ["e", "ee", "se"]]),
    "XKpsk3": ("Noise_XKpsk3_25519_AESGCM_SHA256", [["e", "es"], ["e", "ee"], ["s", "se", "psk"]]),
}


class Symmetric:
    def __init__(self, name):
        name = name.encode()
        self.h = name.ljust(32, b"\0") if len(name) <= 32 else sha256(name)
        self.ck, self.k, self.n = self.h, None, 0

    def mix_hash(self, data):
        self.h = sha256(self.h + data)

    def mix_key(self, secret):
        out = hkdf(secret, self.ck, b"", 64)
        self.ck, self.k, self.n = out[:32], out[32:], 0

    def mix_key_and_hash(self, secret):
        out = hkdf(secret, self.ck, b"", 96)
        self.ck = out[:32]
        self.mix_hash(out[32:64])
        self.k, self.n = out[64:], 0

    def nonce(self):
        self.n += 1
        return bytes(4) + struct.pack(">Q", self.n - 1)

    def seal(self, text):
        sealed = text if self.k is None else AESGCM(self.k).encrypt(self.nonce(), text, self.h)
        self.mix_hash(sealed)
        return sealed


def handshake(ask):
    """Plays both ends with the secrets given, and gives every message: the other end's keys follow from its secrets."""
    name, messages = PATTERNS[ask["pattern"]]
    secret = {who: bytes.fromhex(ask[who]) for who in ("i_static", "i_ephemeral", "r_static", "r_ephemeral")}
    psk = bytes.fromhex(ask.get("psk", ""))
    state = Symmetric(name)
    state.mix_hash(bytes.fromhex(ask["prologue"]))
    state.mix_hash(public_of(secret["r_static"]))
    kinds = {"e": "ephemeral", "s": "static"}
    out = []
    for index, tokens in enumerate(messages):
        side = "ir"[index % 2]
        message = b""
        for token in tokens:
            if token == "e":
                public = public_of(secret[side + "_ephemeral"])
                message += public
                state.mix_hash(public)
                if psk:
                    state.mix_key(public)
            elif token == "s":
                message += state.seal(public_of(secret[side + "_static"]))
            elif token == "psk":
                state.mix_key_and_hash(psk)
            else:
                state.mix_key(dh(secret["i_" + kinds[token[0]]], public_of(secret["r_" + kinds[token[1]]])))
        out.append((message + state.seal(bytes.fromhex(ask["payloads"][index]))).hex())
    keys = hkdf(b"", state.ck, b"", 64)
    sealed = [AESGCM(key).encrypt(ZERO_NONCE, b"first", b"").hex() for key in (keys[:32], keys[32:])]
    return {"messages": out, "hash": state.h.hex(), "sealed": sealed}


def decode_members(ask):
    data, at, members = bytes.fromhex(ask["members"]), 1, []
    for _ in range(data[0]):
        login, signing, scopes = data[at : at + 32], data[at + 32 : at + 64], data[at + 64]
        at += 65
        texts = []
        for _ in range(2):
            length = data[at]
            texts.append(data[at + 1 : at + 1 + length].decode())
            at += 1 + length
        members.append({"login": login.hex(), "signing": signing.hex(), "scopes": scopes, "name": texts[0], "platform": texts[1]})
    if at != len(data):
        raise ValueError("bytes are left over")
    return {"members": members}


# HPKE (RFC 9180), base mode

KEM_SUITE = b"KEM\x00\x20"
SUITE = b"HPKE\x00\x20\x00\x01\x00\x02"


def extract(suite, salt, label, secret):
    return hmac256(salt or bytes(32), b"HPKE-v1" + suite + label + secret)


def expand(suite, prk, label, info, length):
    return hmac256(prk, struct.pack(">H", length) + b"HPKE-v1" + suite + label + info + b"\x01")[:length]


def hpke(shared, context, info):
    prk = extract(KEM_SUITE, b"", b"eae_prk", shared)
    secret = expand(KEM_SUITE, prk, b"shared_secret", context, 32)
    schedule = b"\0" + extract(SUITE, b"", b"psk_id_hash", b"") + extract(SUITE, b"", b"info_hash", info)
    secret = extract(SUITE, secret, b"secret", b"")
    return AESGCM(expand(SUITE, secret, b"key", schedule, 32)), expand(SUITE, secret, b"base_nonce", schedule, 12)


def hpke_seal(ask):
    ephemeral, to, info = (bytes.fromhex(ask[name]) for name in ("ephemeral", "to", "info"))
    enc = public_of(ephemeral)
    key, nonce = hpke(dh(ephemeral, to), enc + to, info)
    return {"sealed": (enc + key.encrypt(nonce, bytes.fromhex(ask["text"]), b"")).hex()}


def hpke_open(ask):
    own, sealed, info = (bytes.fromhex(ask[name]) for name in ("own", "sealed", "info"))
    enc = sealed[:32]
    key, nonce = hpke(dh(own, enc), enc + public_of(own), info)
    return {"text": key.decrypt(nonce, sealed[32:], b"").hex()}


def library_hpke(ask):
    """The library's own HPKE, where it has one: written by others, so that our two do not share a mistake."""
    try:
        from cryptography.hazmat.primitives import hpke as library
    except ImportError:
        return {"missing": True}
    suite = library.Suite(library.KEM.X25519, library.KDF.HKDF_SHA256, library.AEAD.AES_256_GCM)
    info = bytes.fromhex(ask["info"])
    own = X25519PrivateKey.from_private_bytes(bytes.fromhex(ask["own"]))
    opened = suite.decrypt(bytes.fromhex(ask["sealed"]), own, info)
    sealed = suite.encrypt(opened, own.public_key(), info)
    return {"text": opened.hex(), "sealed": sealed.hex()}


OPS = {
    "seal_record": seal_record,
    "open_record": open_record,
    "decode_members": decode_members,
    "encode_code": encode_code,
    "decode_code": decode_code,
    "handshake": handshake,
    "hpke_seal": hpke_seal,
    "hpke_open": hpke_open,
    "library_hpke": library_hpke,
}

for line in sys.stdin:
    ask = json.loads(line)
    try:
        answer = OPS[ask["op"]](ask)
    except (Refused, InvalidSignature, InvalidTag, ValueError, IndexError, struct.error) as error:
        answer = {"error": type(error).__name__}
    print(json.dumps(answer), flush=True)
