"""The words that sample data is made of."""

from __future__ import annotations

from typing import Final


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split("|"))


GIVEN: Final = _words(
    "Amara|Anya|Aoife|Ben|Carla|Chidi|Daria|Diego|Elif|Emre|Fatima|Femi|Grace|Hana|Hugo|Ines|Ivan"
    "|Jonas|Kaito|Kavya|Lars|Leila|Lucía|Maja|Mateo|Mei|Milan|Nadia|Noor|Oskar|Pía|Priya|Quinn"
    "|Rafael|Rosa|Saoirse|Sven|Tariq|Tomás|Uma|Viktor|Wren|Ximena|Yara|Yusuf|Zoë"
)
FAMILY: Final = _words(
    "Abara|Ahmadi|Andersen|Banerjee|Bianchi|Castillo|Chen|Costa|Dubois|Eriksen|Farouk|Fischer"
    "|García|Haddad|Hoang|Ito|Jansen|Kaya|Keane|Kowalski|Larsen|Lindqvist|Martins|Mbeki|Moreau"
    "|Murphy|Nakamura|Novak|O'Brien|Okafor|Ortiz|Papadakis|Petrov|Quinn|Rahman|Rossi|Sato|Schmidt"
    "|Singh|Soto|Tanaka|Turner|Vargas|Walsh|Weber|Yilmaz|Zhang"
)
STREETS: Final = _words(
    "Abbey Road|Birch Lane|Canal Street|Dock Road|Elm Avenue|Foundry Row|Garden Street|Harbour Walk"
    "|Ivy Close|Juniper Way|Kiln Lane|Linden Street|Mill Road|Orchard Avenue|Quarry Hill"
)
CITIES: Final = {
    "United States": _words("Portland|Austin|Madison|Tucson|Boise"),
    "United Kingdom": _words("Leeds|Bristol|Cardiff|Norwich|Dundee"),
    "Ireland": _words("Cork|Galway|Limerick|Sligo|Kilkenny"),
}
MAIL_HOSTS: Final = ("example.com", "example.org", "example.net", "mail.example.com")
PRODUCTS: Final = {
    "lighting": _words("Desk lamp|Floor lamp|Lantern|String lights|Reading light"),
    "kitchen": _words("Kettle|Cast iron pan|Chopping board|Espresso cups|Tea towel"),
    "garden": _words("Watering can|Hand fork|Seed tray|Herb planter|Bird feeder"),
    "desk": _words("Notebook|Fountain pen|Pencil case|Cable tray|Monitor stand"),
}
VARIANTS: Final = _words("ash|oak|walnut|slate|sage|sand|copper|linen|ink|chalk")
STATUSES: Final = ("pending", "paid", "packed", "shipped", "delivered", "returned", "cancelled")
JOBS: Final = _words("picker|buyer|designer|accountant|support|engineer|driver|manager")
COMPLAINTS: Final = _words(
    "the parcel came late|the lid is cracked|I was charged twice|the colour is not as shown"
    "|please change the delivery date|the invoice lacks our VAT number|the box was empty"
)
