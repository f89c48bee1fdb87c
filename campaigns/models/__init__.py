from campaigns.models.access import ApiToken
from campaigns.models.account import Account, Limiter, Suppression
from campaigns.models.alert import Alert
from campaigns.models.alert_rule import AlertRule
from campaigns.models.audience import Import, Recipient, RowError
from campaigns.models.audit import AuditEvent
from campaigns.models.campaign import Campaign
from campaigns.models.clicks import Click, ClickCount, Clicker
from campaigns.models.code_note import CodeNote
from campaigns.models.counts import QUARTER, Count
from campaigns.models.inbound import InboundMessage
from campaigns.models.message import Attempt, DeliveryEvent, Message, Transition
from campaigns.models.saved import Audience, AudienceFile, AudienceMember, AudienceRowError, Segment, SegmentCount
from campaigns.models.spending import SpendLimit, Spent
from campaigns.models.template import Template, TemplateVersion
from campaigns.models.verification import CheckCount, Verification
from campaigns.models.webhook import Event, Webhook, WebhookDelivery
from campaigns.models.workers import Heartbeat, Lease, Owner

__all__ = [
    "QUARTER", "Account", "Alert", "AlertRule", "ApiToken", "Attempt", "Audience", "AudienceFile", "AudienceMember",
    "AudienceRowError", "AuditEvent", "Campaign", "CheckCount", "Click", "ClickCount", "Clicker", "CodeNote", "Count",
    "DeliveryEvent", "Event", "Heartbeat", "Import", "InboundMessage", "Lease", "Limiter", "Message", "Owner",
    "Recipient", "RowError", "Segment", "SegmentCount", "SpendLimit", "Spent", "Suppression", "Template",
    "TemplateVersion", "Transition", "Verification", "Webhook", "WebhookDelivery",
]  # fmt: skip
