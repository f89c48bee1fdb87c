"""All settings. Every variable read here is described in docs/configuration.md; a test holds the two together."""

import sys
from urllib.parse import urlsplit

from exodash import env

BASE_DIR = env.BASE_DIR
DATA_DIR = env.data_dir()
env.load_file(DATA_DIR / "secrets.env")

DEBUG = env.boolean("EXODASH_DEBUG")
SECRET_KEY = env.text("EXODASH_SECRET_KEY")
PORT = env.integer("PORT", 8000, 1, 65535)
SIMULATOR_PORT = env.integer("SIMULATOR_PORT", 8010, 1, 65535)
PUBLIC_URL = env.url("EXODASH_PUBLIC_URL", f"http://127.0.0.1:{PORT}")
_public = urlsplit(PUBLIC_URL)
ALLOWED_HOSTS = env.words("EXODASH_ALLOWED_HOSTS", f"{_public.hostname},127.0.0.1,localhost")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

# Exotel ------------------------------------------------------------------------------------------------------------
CALLBACK_KEYS = env.keyring("EXODASH_CALLBACK_KEYS")
# Whose callbacks are taken (all, when empty), and how many proxies of ours stand in front of the web process.
CALLBACK_NETWORKS = env.networks("EXODASH_CALLBACK_NETWORKS")
TRUSTED_PROXIES = env.integer("EXODASH_TRUSTED_PROXIES", 0, 0, 10)
SECRETS_KEYS = env.keyring("EXODASH_SECRETS_KEYS")
EXOTEL_HOSTS = ["api.exotel.com", "api.in.exotel.com", *env.words("EXODASH_ALLOWED_EXOTEL_HOSTS")]
# How long the beat of a sending process may stand still before its requests count as lost (design: 90 s, twice the
# longest request). Tests that kill processes shorten it.
FAILPOINTS = env.words("EXODASH_FAILPOINTS")
OWNER_TIMEOUT = env.integer("EXODASH_OWNER_TIMEOUT", 90, 1, 3600)
# Seconds without an answer after which the watchdog replaces the background cluster.
CLUSTER_TIMEOUT = env.integer("EXODASH_CLUSTER_TIMEOUT", 45, 5, 600)
# Times that one person may be sent the same campaign: the first time and each "retry failed".
MOST_TRIES = env.integer("EXODASH_MOST_TRIES", 3, 1, 10)
# Hosts to which webhooks may lead although they are inside, and by http: for tests and development.
WEBHOOK_HOSTS = env.words("EXODASH_WEBHOOK_HOSTS")
# Days for which what was told to webhooks is kept; a delivery is tried for three.
WEBHOOK_DAYS = env.integer("EXODASH_WEBHOOK_DAYS", 14, 4, 365)
# Days after which `manage.py purge` removes the people and messages of a finished campaign.
KEEP_DAYS = env.integer("EXODASH_KEEP_DAYS", 400, 1, 36_500)
UPLOAD_LIMIT_MB = env.integer("EXODASH_UPLOAD_LIMIT_MB", 200, 1, 2048)

# Django ------------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_q",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "campaigns",
    "callbacks",
    "exodash",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "exodash.urls"
WSGI_APPLICATION = "exodash.wsgi.application"
ASGI_APPLICATION = "exodash.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": env.database("DATABASE_URL", f"sqlite:///{DATA_DIR / 'exodash.sqlite3'}")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Asia/Kolkata"
USE_TZ = True
USE_I18N = True

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Hashed and compressed once `manage.py collectstatic` has been run; until then files are served as they lie.
_hashed = not DEBUG and ((STATIC_ROOT / "staticfiles.json").is_file() or "collectstatic" in sys.argv)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if _hashed
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not _hashed
MEDIA_ROOT = DATA_DIR / "uploads"
FILE_UPLOAD_TEMP_DIR = None
FILE_UPLOAD_PERMISSIONS = 0o600
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024  # JSON rows by API; files stream to disk

# Security ----------------------------------------------------------------------------------------------------------
_https = _public.scheme == "https"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.boolean("EXODASH_BEHIND_PROXY") else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

# REST --------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["campaigns.api.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["campaigns.api.authentication.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "campaigns.api.negotiation.NeverRefuse",
    "DEFAULT_PARSER_CLASSES": ["campaigns.api.parsing.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "campaigns.api.schema.Schema",
    "EXCEPTION_HANDLER": "campaigns.api.problems.handler",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Exodash",
    "DESCRIPTION": "SMS campaigns through Exotel: templates, recipients, sending, true statuses, reports.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "StateEnum": "campaigns.models.states.ImportState",
        "WebhookDeliveryStateEnum": "campaigns.models.webhook.WebhookDelivery.State",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# Mail of alerts: none is sent while no server is named ----------------------------------------------------------------
_mail = env.mail("EXODASH_EMAIL_URL")
EMAIL_HOST, EMAIL_PORT = _mail["EMAIL_HOST"], _mail["EMAIL_PORT"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_USER"], _mail["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail["EMAIL_USE_TLS"], _mail["EMAIL_USE_SSL"]
EMAIL_TIMEOUT = 10  # seconds without a word of the server
DEFAULT_FROM_EMAIL = env.text("EXODASH_EMAIL_FROM", f"Exodash <exodash@{_public.hostname}>")

# Background cluster: a doorbell, not the queue of messages. Figures measured with django-q2 1.11 -----------------------
REDIS_URL = env.text("EXODASH_REDIS_URL", "")
TASK_BUDGET = 20  # seconds a task works before it hands over to its successor
Q_CLUSTER = {
    "name": "exodash",
    "workers": env.integer("EXODASH_WORKERS", 4, 2, 64),
    "timeout": 90,
    # Counted from the claim, not from the start: must exceed the wait in memory plus the run.
    "retry": 420,
    "queue_limit": 4,
    "bulk": 1,
    "ack_failures": True,
    "max_attempts": 1,
    "save_limit": -1,  # keeping results costs tenfold: every finished task reloads all kept rows
    "catch_up": False,
    "poll": 0.2,
    "recycle": 500,
    "label": "Background work",
    **({"redis": REDIS_URL} if REDIS_URL else {"orm": "default"}),
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"redact": {"()": "exodash.logs.Redact"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["redact"]}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "campaigns": {"level": "INFO"},
        "callbacks": {"level": "INFO"},
        "exodash": {"level": "INFO"},
        "django-q": {"level": "WARNING", "handlers": ["console"], "propagate": False},
    },
}
