"""Django's settings. Everything an installation may change is an environment variable;
nothing secret is written here (keys.py makes the keys).

The application's connections carry the role `meldkamer_app`, which may only INSERT and SELECT
in the journal; `meldkamer migrate` and the tests connect as the owner (MELDKAMER_DB_ROLE=owner).
"""

import os
from typing import Any

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from meldkamer.project import keys, paths
from meldkamer.project.addresses import route_link, web_address
from meldkamer.project.database import django_database
from meldkamer.project.logs import logging_config


def _on(name: str, default: bool = False) -> bool:
    """Whether an environment variable says yes: 1, on, true or yes."""
    text = os.environ.get(name)
    return default if not text else text.lower() in ("1", "on", "true", "yes")


BASE_DIR = paths.PACKAGE
VAR_DIR = paths.var_dir()
DEBUG = False
#: the demo: plain http on the loopback address, logins printed, a button "burglary now"
MELDKAMER_DEMO = _on("MELDKAMER_DEMO")

# --- keys
SECRET_KEY = keys.key("secret").hex()
MELDKAMER_SEALING_KEY: bytes = keys.key("sealing")
MELDKAMER_CODE_PEPPER: bytes = keys.key("pepper")
MELDKAMER_PUSH_KEY: bytes = keys.push_key()
#: asked after each audit in which every check held; its path is a secret (see engine.audit.outside)
MELDKAMER_ALIVE_URL = web_address("MELDKAMER_ALIVE_URL", os.environ.get("MELDKAMER_ALIVE_URL", ""))

#: where customers' phones reach the app, e.g. https://alarm.example; empty: as the office does
MELDKAMER_APP_ADDRESS = web_address(
    "MELDKAMER_APP_ADDRESS", os.environ.get("MELDKAMER_APP_ADDRESS", "")
)
#: push may call addresses of this house, and without TLS: for tests of the whole way alone
MELDKAMER_PUSH_ANYWHERE = _on("MELDKAMER_PUSH_ANYWHERE")

# --- the house
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "csp",
    "axes",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "pgtrigger",
    "pghistory",
    "meldkamer.journal",
    "meldkamer.agenda",
    "meldkamer.sites",
    "meldkamer.people",
    "meldkamer.notify",
    "meldkamer.contracts",
    "meldkamer.incidents",
    "meldkamer.watch",
    "meldkamer.billing",
    "meldkamer.console",
    "meldkamer.office",
    "meldkamer.portal",
    "meldkamer.api",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "meldkamer.project.urls"
ASGI_APPLICATION = "meldkamer.project.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [paths.PACKAGE / "project" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ],
        },
    },
]

# --- the database: PostgreSQL, only that
DATABASES = {"default": django_database(os.environ)}

# --- logging in
AUTH_USER_MODEL = "people.Staff"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_ADAPTER = "meldkamer.people.adapter.HouseAdapter"
# wrong passwords are axes' business, which says so on a page; this only slows a whole address down
ACCOUNT_RATE_LIMITS = {"login_failed": "60/m/ip"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "meldkamer"
# a passkey needs https, except on the loopback address of the demo
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = MELDKAMER_DEMO
#: roles that must have a second factor before they may work; empty lifts it (the demo does)
MELDKAMER_SECOND_FACTOR_ROLES = frozenset(
    os.environ.get("MELDKAMER_SECOND_FACTOR_ROLES", "" if MELDKAMER_DEMO else "supervisor").split()
)
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = False
AXES_LOCKOUT_TEMPLATE = "account/locked_out.html"
AXES_SENSITIVE_PARAMETERS = ["username", "code", "pin", "token"]
AXES_IPWARE_META_PRECEDENCE_ORDER = ["REMOTE_ADDR"]

# --- the browser
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *os.environ.get("MELDKAMER_HOSTS", "").split()]
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in os.environ.get("MELDKAMER_HOSTS", "").split()]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not MELDKAMER_DEMO
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "meldkamer_session"
CSRF_COOKIE_NAME = "meldkamer_csrf"
LANGUAGE_COOKIE_NAME = "meldkamer_language"
SESSION_COOKIE_AGE = 13 * 3600  # one long shift
SECURE_CONTENT_TYPE_NOSNIFF = True
# the first one drops what is beyond the limit before the others store it
FILE_UPLOAD_HANDLERS = [
    "meldkamer.office.uploads.Bounded",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
# read before anybody is known: a form has one document, a stranger's hundred are not stored
DATA_UPLOAD_MAX_NUMBER_FILES = 2
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if _on("MELDKAMER_BEHIND_TLS"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
#: an OSRM service that says how long a patrol drives; empty: the distance decides (S6.1)
MELDKAMER_ROUTING_URL = web_address(
    "MELDKAMER_ROUTING_URL", os.environ.get("MELDKAMER_ROUTING_URL", "")
)
#: what the patrol's button "Route" opens; {lat} and {lon} are put in, {place} is the address
MELDKAMER_ROUTE_LINK = route_link(
    "MELDKAMER_ROUTE_LINK", os.environ.get("MELDKAMER_ROUTE_LINK", "")
)
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "media-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}

# --- static files: served by the web process itself, revalidated at each load
STATIC_URL = "/static/"
STATIC_ROOT = None  # nothing is collected: the files are served from where they lie
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = _on("MELDKAMER_RELOAD")
WHITENOISE_MAX_AGE = 0

# --- languages and time
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("nl", _("Dutch")), ("fr", _("French")), ("de", _("German")), ("en", _("English"))]
LOCALE_PATHS = [paths.PACKAGE / "locale"]
USE_THOUSAND_SEPARATOR = True

# --- mail
EMAIL_BACKEND = os.environ.get(
    "MELDKAMER_EMAIL_BACKEND", "django.core.mail.backends.smtp.EmailBackend"
)
EMAIL_HOST = os.environ.get("MELDKAMER_SMTP_HOST", "127.0.0.1")
EMAIL_PORT = int(os.environ.get("MELDKAMER_SMTP_PORT", "25"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = os.environ.get("MELDKAMER_MAIL_FROM", "meldkamer@localhost")

LOGGING = logging_config(os.environ.get("MELDKAMER_LOG_LEVEL", "INFO"))
