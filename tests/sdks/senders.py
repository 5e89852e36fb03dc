"""Requests that the vendors' own SDKs have signed, sent to a running Hookway over HTTP.

    senders.py HOOKWAY      HOOKWAY is the program; `make test-sdks` calls this

Starts the program on free ports with one source per vendor and the embedded journal. Each vendor's SDK signs one
request: it must be accepted, and its altered twin (one character of what is signed) refused with 401.
"""

import base64
import datetime
import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

import braintree
import cloudevents.core.bindings.http as cloudevents_http
import google.auth.crypt
import google.auth.jwt
import slack_sdk.signature
import standardwebhooks
import stripe
import svix.webhooks
import twilio.request_validator
import workos.actions
from Adyen.util import generate_notification_sig
from cloudevents.core.v1.event import CloudEvent
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hubspot.utils.signature import Signature as HubSpotSignature

TEXT = "a-secret-of-more-than-sixteen-bytes"
WHSEC = "whsec_" + base64.b64encode(bytes(range(32))).decode()
HEX = bytes(range(32, 64)).hex()
EMAIL = "push@project.iam.gserviceaccount.com"
PUBLIC = "https://hooks.example.com"
JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
NOW = datetime.datetime.now(datetime.timezone.utc)
UNIX = int(NOW.timestamp())


def compact(value):
    return json.dumps(value, separators=(",", ":"))


def stripe_request():
    body = compact({"id": "evt_1", "object": "event", "type": "invoice.paid", "created": UNIX,
                    "data": {"object": {"id": "in_1", "object": "invoice"}}})
    signature = stripe.WebhookSignature._compute_signature(f"{UNIX}.{body}", TEXT)
    return JSON | {"stripe-signature": f"t={UNIX},v1={signature}"}, body, "evt_1"


def slack_request():
    body = compact({"type": "event_callback", "team_id": "T1", "api_app_id": "A1", "event_id": "Ev1", "event_time": UNIX,
                    "event": {"type": "message", "channel": "C1", "ts": f"{UNIX}.000100", "text": "hello"}})
    signature = slack_sdk.signature.SignatureVerifier(TEXT).generate_signature(timestamp=str(UNIX), body=body)
    return JSON | {"x-slack-signature": signature, "x-slack-request-timestamp": str(UNIX)}, body, "Ev1"


def svix_request():
    body = compact({"type": "user.created", "timestamp": NOW.isoformat(), "data": {"id": "user_1"}})
    signature = svix.webhooks.Webhook(WHSEC).sign("msg_1", NOW, body)
    return JSON | {"svix-id": "msg_1", "svix-timestamp": str(UNIX), "svix-signature": signature}, body, "msg_1"


def standard_webhooks_request():
    body = compact({"type": "invoice.paid", "timestamp": NOW.isoformat(), "data": {"id": "in_1"}})
    signature = standardwebhooks.Webhook(WHSEC).sign("msg_2", NOW, body)
    return (JSON | {"webhook-id": "msg_2", "webhook-timestamp": str(UNIX), "webhook-signature": signature}, body, "msg_2")


def twilio_request():
    fields = {"MessageSid": "SM1", "MessageStatus": "delivered", "AccountSid": "AC1", "To": "+18005551212"}
    url = f"{PUBLIC}/hooks/twilio"
    signature = twilio.request_validator.RequestValidator(TEXT).compute_signature(url, fields)
    return FORM | {"x-twilio-signature": signature}, urllib.parse.urlencode(fields), "SM1"


def adyen_request():
    item = {"pspReference": "7914073381342284", "originalReference": "", "merchantAccountCode": "TestMerchant",
            "merchantReference": "Payment-1", "amount": {"value": 1130, "currency": "EUR"},
            "eventCode": "AUTHORISATION", "eventDate": NOW.isoformat(), "success": "true"}
    item["additionalData"] = {"hmacSignature": generate_notification_sig(item, HEX).decode()}
    body = compact({"live": "false", "notificationItems": [{"NotificationRequestItem": item}]})
    return JSON, body, "TestMerchant"


def braintree_request():
    gateway = braintree.BraintreeGateway(braintree.Configuration(
        braintree.Environment.Sandbox, "merchant", "integration_public_key", TEXT))
    sample = gateway.webhook_testing.sample_notification(
        braintree.WebhookNotification.Kind.SubscriptionWentPastDue, "subscription-1")
    return FORM, urllib.parse.urlencode(sample), "PG"


def hubspot_request():
    body = compact([{"eventId": 1, "subscriptionId": 2, "portalId": 3, "occurredAt": UNIX * 1000,
                     "subscriptionType": "contact.creation", "attemptNumber": 0, "objectId": 123}])
    at = str(UNIX * 1000)
    signature = HubSpotSignature.get_signature(TEXT, body, "v3", f"{PUBLIC}/hooks/hubspot", "POST", at)
    return JSON | {"x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": at}, body, "contact"


def workos_request():
    body = compact({"id": "event_1", "event": "user.created", "created_at": NOW.isoformat(), "data": {"id": "user_1"}})
    at = str(UNIX * 1000)
    signature = workos.actions._compute_signature(f"{at}.{body}", TEXT)
    return JSON | {"workos-signature": f"t={at}, v1={signature}"}, body, "event_1"


def pubsub_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def jwks(key):
    numbers = key.public_key().public_numbers()
    text = lambda number: base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).decode().rstrip("=")
    return {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "key-1", "n": text(numbers.n), "e": text(numbers.e)}]}


def pubsub_request(key):
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
                            serialization.NoEncryption())
    claims = {"iss": "https://accounts.google.com", "aud": f"{PUBLIC}/hooks/pubsub", "sub": "1", "iat": UNIX,
              "exp": UNIX + 3600, "email": EMAIL, "email_verified": True}
    token = google.auth.jwt.encode(google.auth.crypt.RSASigner.from_string(pem, key_id="key-1"), claims).decode()
    body = compact({"subscription": "projects/p/subscriptions/s",
                    "message": {"messageId": "1001", "publishTime": NOW.isoformat(), "data": "e30=", "attributes": {}}})
    return JSON | {"authorization": f"Bearer {token}"}, body, token[-20:-10]


def cloudevents_request():
    event = CloudEvent({"id": "ce-1", "source": "/orders", "type": "com.example.order.created", "specversion": "1.0",
                        "subject": "order/1", "time": NOW}, {"order": 1})
    message = cloudevents_http.to_binary_event(event)
    headers = {str(name): str(value) for name, value in message.headers.items()}
    return headers | {"authorization": f"Bearer {TEXT}"}, message.body, TEXT


def configuration(home, key):
    (home / "jwks.json").write_text(json.dumps(jwks(key)))
    secret = lambda text: write(home, text)
    sources = {
        "stripe": {"preset": "stripe", "secrets": [secret(TEXT)]},
        "slack": {"preset": "slack", "secrets": [secret(TEXT)]},
        "svix": {"preset": "svix", "secrets": [secret(WHSEC)]},
        "standard": {"preset": "standard-webhooks", "secrets": [secret(WHSEC)]},
        "twilio": {"preset": "twilio", "secrets": [secret(TEXT)], "verify": {"url": f"{PUBLIC}/hooks/twilio"}},
        "adyen": {"preset": "adyen", "secrets": [secret(HEX)]},
        "braintree": {"preset": "braintree", "secrets": [secret(TEXT)], "params": {"key_id": "integration_public_key"}},
        "hubspot": {"preset": "hubspot", "secrets": [secret(TEXT)], "verify": {"url": f"{PUBLIC}/hooks/hubspot"}},
        "workos": {"preset": "workos", "secrets": [secret(TEXT)]},
        "pubsub": {"preset": "google-pubsub", "verify": {"jwt": {"jwks": str(home / "jwks.json")}},
                   "params": {"audience": f"{PUBLIC}/hooks/pubsub", "email": EMAIL}},
        "cloudevents": {"preset": "cloudevents", "secrets": [secret(TEXT)]},
    }
    ports = [free_port(), free_port()]
    document = {"listen": f"127.0.0.1:{ports[0]}", "admin": f"127.0.0.1:{ports[1]}", "sources": sources}
    (home / "hookway.yaml").write_text(json.dumps(document))
    return ports[0]


def write(home, text):
    file = home / f"secret-{len(list(home.glob('secret-*')))}"
    file.write_text(text)
    return f"file:{file}"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def send(port, source, headers, body):
    """Returns the status and the ids of the events."""
    body = body if isinstance(body, bytes) else body.encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/hooks/{source}", body, headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers.get("hookway-event-id")
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read().decode()


def altered(headers, body, signed):
    """Changes one character of something that the signature covers, or of the credential itself."""
    swap = lambda text: text.replace(signed, signed[:-1] + ("A" if signed[-1] != "A" else "B"))
    twin = {name: swap(value) for name, value in headers.items()}, (body if isinstance(body, bytes) else swap(body))
    assert twin != (headers, body), f"{signed!r} stands nowhere"
    return twin


def wait_for(port, server):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if server.poll() is not None:
            sys.exit(f"hookway ended with {server.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit("hookway does not listen")


def main():
    key = pubsub_key()
    requests = {
        "stripe": stripe_request(), "slack": slack_request(), "svix": svix_request(),
        "standard": standard_webhooks_request(), "twilio": twilio_request(), "adyen": adyen_request(),
        "braintree": braintree_request(), "hubspot": hubspot_request(), "workos": workos_request(),
        "pubsub": pubsub_request(key), "cloudevents": cloudevents_request(),
    }
    wrong = 0
    with tempfile.TemporaryDirectory() as home:
        port = configuration(pathlib.Path(home), key)
        server = subprocess.Popen([sys.argv[1], "run", "--config", "hookway.yaml"], cwd=home)
        try:
            wait_for(port, server)
            for source, (headers, body, signed) in requests.items():
                genuine = send(port, source, headers, body)
                twin = send(port, source, *altered(headers, body, signed))
                good = genuine[0] in (200, 204) and twin[0] == 401
                wrong += not good
                print(f"{'ok    ' if good else 'WRONG '} {source}: {genuine[0]} {genuine[1]}; altered {twin[0]}", flush=True)
        finally:
            server.terminate()
            server.wait(20)
    print(f"{len(requests) - wrong} of {len(requests)} vendors' requests are accepted and their twins refused")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
