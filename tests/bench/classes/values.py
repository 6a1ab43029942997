"""Made-up values, by kind: protected ones with right check digits, and what is easily taken for them."""

from __future__ import annotations

import base64
import hashlib
import json
import string
from collections.abc import Callable
from random import Random
from typing import Final

from dbgate_core.classify import accounts, national_ids
from dbgate_core.classify.digits import luhn

Make = Callable[[Random], str]
MAKERS: Final[dict[str, Make]] = {}


def _words(text: str) -> list[str]:
    return text.split()


GIVEN: Final = _words(
    "Anna Luca Marie Jonas Sofia Peter Elena Tomasz Ingrid Pablo Claire Ahmed Julia Henrik Joana"
)
RARE: Final = _words(
    "Zdenka Tiberiu Ngozi Aoife Kwame Lieselotte Blaise Maren Oisin Thandiwe Anna Mark Julie Marco Laura Stefan"
)
SURNAMES: Final = _words(
    "Brandt Moreau Lindqvist Kowalski Ferreira Okafor Bianchi Hughes de-Vries Navarro Yamada Novak"
)
STREETS: Final = ("Maple Street", "Oak Ave", "Harbour Road", "King's Lane", "Mill Drive")
DOMAINS: Final = ("example.com", "example.org", "mail.example.net", "firma.example.de")
WORDS: Final = _words(
    "ready stock blue shipping late parcel return window quality check size repeat batch customer price update review"
)
PRODUCTS: Final = _words(
    "Trail Desk Lamp Carbon Kettle Aurora Bottle Summit Jacket Nordic Chair Pixel Speaker Ultra Mouse"
)
CITIES: Final = _words(
    "Hamburg Lyon Porto Bergen Gdansk Leeds Turin Bilbao Utrecht Malmo Austin Denver"
)
IBAN_SHAPES: Final = {"DE": 18, "FR": 23, "NL": 14, "ES": 20, "GB": 18, "PL": 24}


def maker(function: Make) -> Make:
    """Known under its name."""
    MAKERS[function.__name__] = function
    return function


def _digits(random: Random, count: int) -> str:
    return "".join(random.choices(string.digits, k=count))


def _chars(random: Random, count: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(random.choices(alphabet, k=count))


def _until(random: Random, make: Make, holds: Callable[[str], bool]) -> str:
    while not holds(found := make(random)):
        pass
    return found


@maker
def email(random: Random) -> str:
    first, last = random.choice(GIVEN).lower(), random.choice(SURNAMES).lower()
    return f"{first}.{last}{random.randrange(99)}@{random.choice(DOMAINS)}"


@maker
def mixed_login(random: Random) -> str:
    return email(random) if random.random() < 0.3 else f"user{random.randrange(10**6)}"


@maker
def card(random: Random) -> str:
    prefix = random.choice(("4", "51", "55", "2300", "6011"))
    return _until(random, lambda r: prefix + _digits(r, 16 - len(prefix)), accounts.is_card_number)


@maker
def amex(random: Random) -> str:
    return _until(random, lambda r: "37" + _digits(r, 13), luhn)


@maker
def card_spaced(random: Random) -> str:
    number = card(random)
    return " ".join(number[i : i + 4] for i in range(0, 16, 4))


@maker
def iban(random: Random) -> str:
    country = random.choice(list(IBAN_SHAPES))
    body = _digits(random, IBAN_SHAPES[country])
    if country in ("NL", "GB"):
        body = "ABNA" + body[4:]
    plain = int("".join(str(int(c, 36)) for c in body + country + "00"))
    return f"{country}{98 - plain % 97:02d}{body}"


@maker
def iban_spaced(random: Random) -> str:
    number = iban(random)
    return " ".join(number[i : i + 4] for i in range(0, len(number), 4))


@maker
def phone(random: Random) -> str:
    return random.choice((f"+4917{random.randrange(10**7, 10**8)}", f"+3361{random.randrange(10**6, 10**7)}2",
                          f"+1212{random.randrange(2, 10)}{random.randrange(10**5, 10**6)}"))  # fmt: skip


@maker
def phone_us(random: Random) -> str:
    return f"({random.choice((212, 415, 303, 617, 512))}) {random.randrange(200, 999)}-{random.randrange(1000, 9999)}"


@maker
def phone_fr(random: Random) -> str:
    pairs = [f"{random.randrange(100):02d}" for _ in range(4)]
    return f"06 {random.randrange(10, 80)} " + " ".join(pairs[:3])


@maker
def phone_uk(random: Random) -> str:
    return f"07{random.choice((400, 500, 700, 900, 911))}{random.randrange(10**5, 10**6)}"


@maker
def ssn(random: Random) -> str:
    return f"{random.randrange(1, 665):03d}-{random.randrange(1, 99):02d}-{random.randrange(1, 9999):04d}"


def _checked(name: str, shape: Make) -> None:
    check = getattr(national_ids, name)
    MAKERS[name] = lambda random: _until(random, shape, check)


def _birth(random: Random) -> str:
    return f"{random.randrange(50, 99)}{random.randrange(1, 13):02d}{random.randrange(1, 29):02d}"


_checked("dni_es", lambda r: _digits(r, 8) + r.choice(string.ascii_uppercase))
_checked("cpf_br", lambda r: "{}.{}.{}-{}".format(*(_digits(r, n) for n in (3, 3, 3, 2))))
_checked("pesel_pl", lambda r: _birth(r) + _digits(r, 5))
_checked("personnummer_se", lambda r: f"{_birth(r)}-{_digits(r, 4)}")
_checked(
    "nir_fr", lambda r: f"{r.choice('12')}{_digits(r, 2)}{r.randrange(1, 13):02d}{_digits(r, 10)}"
)
_checked("steuer_id_de", lambda r: _steuer(r))
_checked("bsn_nl", lambda r: _digits(r, 9))
_checked(
    "aadhaar_in", lambda r: f"{r.randrange(2, 10)}{_digits(r, 3)} {_digits(r, 4)} {_digits(r, 4)}"
)
_checked("resident_cn", lambda r: f"11010119{_birth(r)}{_digits(r, 3)}{r.choice('0123456789X')}")
_checked("codice_fiscale_it", lambda r: f"{_chars(r, 6, 'ABCDEFGLMNOPRST')}{_digits(r, 2)}{r.choice('ABCDEHLMPRST')}{r.randrange(10, 30)}H501{r.choice(string.ascii_uppercase)}")  # fmt: skip
_checked("hetu_fi", lambda r: f"{r.randrange(1, 29):02d}{r.randrange(1, 13):02d}{r.randrange(50, 99)}-{_digits(r, 3)}{r.choice('0123456789ABCDEFHJKLMNPRSTUVWXY')}")  # fmt: skip


def _steuer(random: Random) -> str:
    some = random.sample("123456789", 9)
    return "".join([*some, random.choice(some), random.choice(string.digits)])


@maker
def nino_gb(random: Random) -> str:
    return f"AB{_digits(random, 6)}{random.choice('ABCD')}"


@maker
def passport(random: Random) -> str:
    return random.choice("CFGH") + _chars(random, 8, "0123456789CFGHJK")


@maker
def full_name(random: Random) -> str:
    return f"{random.choice(GIVEN)} {random.choice(SURNAMES)}"


@maker
def rare_name(random: Random) -> str:
    return f"{random.choice(RARE)} {random.choice(SURNAMES)}"


@maker
def name_reversed(random: Random) -> str:
    return f"{random.choice(SURNAMES)}, {random.choice(GIVEN)}"


@maker
def given_name(random: Random) -> str:
    return random.choice(GIVEN)


@maker
def surname(random: Random) -> str:
    return random.choice(SURNAMES)


@maker
def street(random: Random) -> str:
    return f"{random.randrange(1, 990)} {random.choice(STREETS)}"


@maker
def street_de(random: Random) -> str:
    return f"{random.choice(('Garten', 'Bahnhof', 'Schiller', 'Linden'))}{random.choice(('straße', 'weg', 'allee', 'platz'))} {random.randrange(1, 140)}"


@maker
def street_fr(random: Random) -> str:
    return f"{random.randrange(1, 90)} rue {random.choice(('de la Paix', 'des Lilas', 'Victor Hugo', 'du Port'))}"


@maker
def street_es(random: Random) -> str:
    return f"Calle {random.choice(('Mayor', 'de Alcalá', 'Luna', 'del Pez'))} {random.randrange(1, 90)}"


@maker
def postcode(random: Random) -> str:
    return _digits(random, 5)


@maker
def birth(random: Random) -> str:
    return f"{random.randrange(1950, 2004)}-{random.randrange(1, 13):02d}-{random.randrange(1, 29):02d}"


@maker
def ipv4(random: Random) -> str:
    return ".".join(str(random.randrange(1, 255)) for _ in range(4))


@maker
def ipv4_private(random: Random) -> str:
    return f"10.{random.randrange(40)}.{random.randrange(255)}.{random.randrange(1, 255)}"


@maker
def ipv6(random: Random) -> str:
    return "2001:db8:" + ":".join(f"{random.randrange(65536):x}" for _ in range(6))


@maker
def mac(random: Random) -> str:
    return ":".join(f"{random.randrange(256):02x}" for _ in range(6))


def _b64(value: object) -> str:
    raw = json.dumps(value).encode() if not isinstance(value, bytes) else value
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@maker
def jwt(random: Random) -> str:
    return f"{_b64({'alg': 'RS256', 'typ': 'JWT'})}.{_b64({'sub': random.randrange(10**6)})}.{_b64(random.randbytes(32))}"


@maker
def aws_key(random: Random) -> str:
    return "AKIA" + _chars(random, 16, string.ascii_uppercase + "234567")


@maker
def github_token(random: Random) -> str:
    return "ghp_" + _chars(random, 36)


@maker
def stripe_key(random: Random) -> str:
    return "sk_" + "test_" + _chars(random, 24)


@maker
def slack_token(random: Random) -> str:
    return "xoxb-" + f"{_digits(random, 12)}-{_chars(random, 24)}"


@maker
def opaque(random: Random) -> str:
    return _b64(random.randbytes(33))


@maker
def bcrypt(random: Random) -> str:
    return "$2b$12$" + _chars(random, 53, string.ascii_letters + string.digits + "./")


@maker
def argon(random: Random) -> str:
    return (
        f"$argon2id$v=19$m=65536,t=3,p=4${_b64(random.randbytes(16))}${_b64(random.randbytes(32))}"
    )


@maker
def django_hash(random: Random) -> str:
    return f"pbkdf2_sha256$600000${_chars(random, 22)}${_b64(random.randbytes(32))}="


@maker
def scram(random: Random) -> str:
    return f"SCRAM-SHA-256$4096:{_b64(random.randbytes(16))}==${_b64(random.randbytes(32))}=:{_b64(random.randbytes(32))}="


@maker
def pem(random: Random) -> str:
    return f"-----BEGIN EC PRIVATE KEY-----\n{_b64(random.randbytes(90))}\n-----END EC PRIVATE KEY-----"


@maker
def public_pem(random: Random) -> str:
    return f"-----BEGIN PUBLIC KEY-----\n{_b64(random.randbytes(90))}\n-----END PUBLIC KEY-----"


@maker
def url_password(random: Random) -> str:
    return f"postgresql://app:{_chars(random, 12)}@db{random.randrange(9)}.example.com/shop"


@maker
def url(random: Random) -> str:
    return f"https://www.example.com/{random.choice(WORDS)}/{random.randrange(10**5)}?ref={random.choice(WORDS)}"


@maker
def word(random: Random) -> str:
    return random.choice(WORDS)


@maker
def sentence(random: Random) -> str:
    return " ".join(random.choices(WORDS, k=random.randrange(6, 20))).capitalize() + "."


@maker
def gossip(random: Random) -> str:
    return f"{random.choice(('Called', 'Met', 'Asked'))} {random.choice(GIVEN)} about the {random.choice(WORDS)}; {sentence(random)}"


@maker
def mail_in_text(random: Random) -> str:
    return f"Please write to {email(random)} about the {random.choice(WORDS)}. {sentence(random)}"


@maker
def product(random: Random) -> str:
    return " ".join(random.choices(PRODUCTS, k=2)) + random.choice(("", " Pro", " XL", " 2"))


@maker
def company(random: Random) -> str:
    return f"{random.choice(('Nordlicht', 'Acme', 'Bluewave', 'Fenwick', 'Solaris'))} {random.choice(('GmbH', 'Ltd', 'SA', 'Inc', 'BV'))}"


@maker
def city(random: Random) -> str:
    return random.choice(CITIES)


@maker
def order_number(random: Random) -> str:
    return _digits(random, 16)


@maker
def order_luhn(random: Random) -> str:
    return _until(random, lambda r: "90" + _digits(r, 10), luhn)


@maker
def ten_digits(random: Random) -> str:
    return str(random.randrange(10**9, 10**10))


@maker
def counter(random: Random) -> str:
    return str(2_125_550_000 + random.randrange(4000))


@maker
def epoch(random: Random) -> str:
    return str(1_600_000_000 + random.randrange(10**8))


@maker
def epoch_ms(random: Random) -> str:
    return str(1_600_000_000_000 + random.randrange(10**11))


@maker
def uuid(random: Random) -> str:
    text = random.randbytes(16).hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


@maker
def sha256(random: Random) -> str:
    return hashlib.sha256(random.randbytes(8)).hexdigest()


@maker
def md5(random: Random) -> str:
    return hashlib.sha256(random.randbytes(8)).hexdigest()[:32]


@maker
def sri_hash(random: Random) -> str:
    return "sha256-" + base64.b64encode(random.randbytes(32)).decode()


@maker
def version(random: Random) -> str:
    return ".".join(str(random.randrange(20)) for _ in range(3))


@maker
def version_quad(random: Random) -> str:
    return f"{random.randrange(1, 12)}.{random.randrange(20)}.{random.randrange(60)}.{random.randrange(30)}"


@maker
def part_number(random: Random) -> str:
    return f"{random.randrange(1000):03d}-{random.randrange(100):02d}-{random.randrange(10000):04d}"


@maker
def sku(random: Random) -> str:
    return f"{_chars(random, 3, string.ascii_uppercase)}-{_digits(random, 5)}"


@maker
def ean(random: Random) -> str:
    body = "40" + _digits(random, 10)
    total = sum(int(c) * (3 if i % 2 else 1) for i, c in enumerate(body))
    return body + str(-total % 10)


@maker
def imei(random: Random) -> str:
    return _until(random, lambda r: "35" + _digits(r, 13), luhn)


@maker
def isbn(random: Random) -> str:
    return f"978-3-{_digits(random, 4)}-{_digits(random, 4)}-{_digits(random, 1)}"


@maker
def parcel(random: Random) -> str:
    return "1Z" + _chars(random, 16, string.ascii_uppercase + string.digits)


@maker
def money(random: Random) -> str:
    return f"{random.randrange(1, 9000)}.{random.randrange(100):02d}"


@maker
def small(random: Random) -> str:
    return str(random.randrange(100))


@maker
def boolean(random: Random) -> str:
    return random.choice(("t", "f"))


@maker
def moment(random: Random) -> str:
    return f"2026-{random.randrange(1, 13):02d}-{random.randrange(1, 29):02d} 12:{random.randrange(60):02d}:00"


@maker
def coordinate(random: Random) -> str:
    return f"{random.uniform(-90, 90):.6f}"


@maker
def color(random: Random) -> str:
    return f"#{random.randrange(2**24):06x}"


@maker
def path(random: Random) -> str:
    return f"/srv/{random.choice(WORDS)}/{random.choice(WORDS)}-{random.randrange(999)}.csv"


@maker
def slug(random: Random) -> str:
    return "-".join(random.choices(WORDS, k=4)) + f"-{random.randrange(999)}"


@maker
def class_name(random: Random) -> str:
    return f"com.example.{random.choice(WORDS)}.{''.join(w.title() for w in random.choices(WORDS, k=3))}Handler2"


@maker
def agent(random: Random) -> str:
    return f"Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/{random.randrange(90, 140)}.0"


@maker
def thumbnail(random: Random) -> str:
    return "data:image/png;base64," + base64.b64encode(random.randbytes(60)).decode()


@maker
def encoded_text(random: Random) -> str:
    return base64.b64encode(sentence(random).encode()).decode()


@maker
def currency(random: Random) -> str:
    return random.choice(("EUR", "USD", "SEK", "PLN", "BRL"))


@maker
def locale(random: Random) -> str:
    return random.choice(("de_DE", "fr_FR", "en_GB", "pt_BR"))


@maker
def arn(random: Random) -> str:
    return f"arn:aws:s3:::{random.choice(WORDS)}-{_digits(random, 6)}/{random.choice(WORDS)}"


@maker
def git_remote(random: Random) -> str:
    return f"git@git.example.com:team/{random.choice(WORDS)}-{random.randrange(99)}.git"


@maker
def handle(random: Random) -> str:
    return "@" + random.choice(WORDS) + str(random.randrange(9999))


@maker
def contact_json(random: Random) -> str:
    return json.dumps(
        {
            "kind": random.choice(WORDS),
            "user": {
                "email": email(random),
                "plan": random.choice(WORDS),
                "name": full_name(random),
            },
            "lines": [{"sku": sku(random), "qty": random.randrange(9)}],
        }
    )


@maker
def payment_json(random: Random) -> str:
    return json.dumps({"ref": sku(random), "x1": card(random), "amount": money(random)})


@maker
def settings_json(random: Random) -> str:
    return json.dumps({"theme": random.choice(WORDS), "limit": random.randrange(99), "beta": True})


@maker
def by_id_json(random: Random) -> str:
    return json.dumps(
        {str(random.randrange(10**6)): {"phone": phone(random), "n": 1} for _ in range(4)}
    )


@maker
def phone_de(random: Random) -> str:
    return f"0{random.choice(('30', '89', '40'))} {random.randrange(10**6, 10**7)}"


@maker
def phone_dotted(random: Random) -> str:
    return f"{random.choice((312, 206, 404))}.{random.randrange(200, 999)}.{random.randrange(1000, 9999)}"


@maker
def street_nl(random: Random) -> str:
    return f"{random.choice(('Kerk', 'Molen', 'Prinsen'))}{random.choice(('straat', 'weg', 'gracht'))} {random.randrange(1, 300)}"


@maker
def street_it(random: Random) -> str:
    return f"Via {random.choice(('Roma', 'Garibaldi', 'dei Mille'))} {random.randrange(1, 90)}"


@maker
def street_pl(random: Random) -> str:
    return f"ul. {random.choice(('Polna', 'Lipowa', 'Mickiewicza'))} {random.randrange(1, 90)}"


@maker
def titled_name(random: Random) -> str:
    return f"{random.choice(('Dr.', 'Frau', 'Mr', 'Mme'))} {random.choice(GIVEN)} {random.choice(SURNAMES)}"


@maker
def upper_name(random: Random) -> str:
    return full_name(random).upper()


@maker
def email_display(random: Random) -> str:
    return f"{full_name(random)} <{email(random)}>"


@maker
def gitlab_token(random: Random) -> str:
    return "glpat-" + _chars(random, 20)


@maker
def google_key(random: Random) -> str:
    return "AIza" + _chars(random, 35)


@maker
def crypt512(random: Random) -> str:
    return f"$6${_chars(random, 12)}${_chars(random, 86)}"


@maker
def ldap_hash(random: Random) -> str:
    return "{SSHA}" + base64.b64encode(random.randbytes(24)).decode()


@maker
def nanoid(random: Random) -> str:
    return _chars(random, 21)


@maker
def ulid(random: Random) -> str:
    return "01H" + _chars(random, 23, "0123456789ABCDEFGHJKMNPQRSTVWXYZ")


@maker
def vin(random: Random) -> str:
    return "WVW" + _chars(random, 14, "ABCDEFGHJKLMNPRSTUVWXYZ0123456789")


@maker
def flight(random: Random) -> str:
    return f"{random.choice(('LH', 'AF', 'BA'))}{random.randrange(100, 9999)}"


@maker
def chess(random: Random) -> str:
    return " ".join(f"{random.choice('abcdefgh')}{random.randrange(1, 9)}" for _ in range(6))


@maker
def sql_text(random: Random) -> str:
    return f"select {random.choice(WORDS)} from {random.choice(WORDS)} where id = {random.randrange(999)}"


@maker
def dims(random: Random) -> str:
    return f"{random.randrange(9, 99)}x{random.randrange(9, 99)}x{random.randrange(9, 99)}"


@maker
def iso_duration(random: Random) -> str:
    return f"PT{random.randrange(9)}H{random.randrange(60)}M"


@maker
def mention(random: Random) -> str:
    return f"{random.choice(GIVEN)} approved the {random.choice(WORDS)} on behalf of {random.choice(GIVEN)} {random.choice(SURNAMES)}."


@maker
def profile_json(random: Random) -> str:
    return json.dumps(
        {
            "contactPhone": phone(random),
            "addr": {"street": street(random), "zip": postcode(random)},
            "prefs": {"color": color(random), "tags": [random.choice(WORDS), random.choice(WORDS)]},
            "members": [{"mail": email(random), "role": random.choice(WORDS)}],
        }
    )


@maker
def secrets_json(random: Random) -> str:
    return json.dumps(
        {"z": github_token(random), "hash": bcrypt(random), "region": random.choice(WORDS)}
    )


@maker
def metric_json(random: Random) -> str:
    return json.dumps({"cpu": random.random(), "host": slug(random), "ids": [uuid(random)]})
