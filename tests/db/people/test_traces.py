"""What of an event names a person, and what it is without them."""

import hmac
import json

import pytest

from db.people.identity import hash_of, new_key
from tests.conftest import Connection


def test_personal_fields_go_and_what_is_counted_stays(conn: Connection) -> None:
    given = {
        "email": "a", "E-Mail": "a", "user_email": "a", "emailHash": "a", "Phone Number": "a", "firstName": "a",
        "last_name": "a", "name": "Anna", "shippingAddress": {"city": "x"},
        "address1": "a", "ip": "::1",
        "client_ip": "a", "$ip": "a", "userAgent": "a",
        "dateOfBirth": "a", "traits": {"a": 1}, "$set": {"b": 1}, "customerId": 5,
        "me": "x customer-17", "at": "https://x/account/customer-17?a=1", "customer-17": 1,
        "list": ["customer-17", "b"],
        "deep": [{"deeper": {"zip": "1", "kept": True}}],
        "revenue": "12.5", "currency": "EUR", "order_id": 7, "value": None, "tip": 1, "membership": "gold",
        "city": "Bonn",
        "products": [{"product_id": "p", "name": "Lamp", "price": 1, "email": "x", "me": "customer-17"}, "customer-17"],
        "items": {"phone": "1"},
    }  # fmt: skip
    (found,) = conn.execute(
        "select properties_without_person(%s::jsonb, traces_of_person('customer-17', 'erased-x'), true, 'top')",
        [json.dumps(given)],
    ).fetchone() or (None,)
    assert found == {
        "list": ["b"], "deep": [{"deeper": {"kept": True}}], "revenue": "12.5", "currency": "EUR", "order_id": 7,
        "value": None, "tip": 1, "membership": "gold", "city": "Bonn",
        "products": [{"product_id": "p", "name": "Lamp", "price": 1}, "customer-17"],
        "items": {"erased": True},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "own", "expected"),
    [
        ("/account/customer-17", False, "/account/erased"),
        ("/customer-17/customer-17", False, "/erased/erased"),
        ("/x?u=customer-17&v=1#customer-17", False, "/x?u=erased&v=1#erased"),
        ("/account/customer-170", False, "/account/customer-170"),
        ("/account/my-customer-17.html", False, "/account/my-customer-17.html"),
        ("/account/my-customer-17.html", True, "/account/my-erased.html"),
        ("customer-17", False, "erased"),
        ("/customer-17" * 170, False, "/erased" * 170),
    ],
)
def test_a_path_is_the_same_without_the_person(conn: Connection, path: str, own: bool, expected: str) -> None:
    query = "select path_without_person(%s, traces_of_person('customer-17', 'erased-x'), %s)"
    assert conn.execute(query, [path, own]).fetchone() == (expected,)


def test_the_hash_of_a_person_is_hmac_with_the_key_of_the_site(conn: Connection) -> None:
    key = new_key()
    plain = bytes(octet ^ 0x36 for octet in key[:64])
    expected = hmac.new(plain, "Zoë".encode(), "sha256").digest()
    assert hash_of(key, "Zoë") == expected
    assert conn.execute("select person_hash(%s, 'Zoë')", [key]).fetchone() == (expected,)
