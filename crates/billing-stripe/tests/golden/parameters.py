"""Writes parameters.json beside this file: what Stripe's own library knows as parameters of the calls that our client makes.

    pip install stripe==16.1.0
    python parameters.py

A tree of names for each call; "*" is a place where any name may stand, and "." is in what is no plain value.
"""
import importlib
import inspect
import json
import pathlib
import re

import stripe

CALLS = {
    "GET /v1/account": None,
    "GET /v1/subscriptions": "_subscription_list_params.SubscriptionListParams",
    "GET /v1/subscriptions/:id": "_subscription_retrieve_params.SubscriptionRetrieveParams",
    "GET /v1/subscription_items": "_subscription_item_list_params.SubscriptionItemListParams",
    "POST /v1/subscriptions/:id": "_subscription_update_params.SubscriptionUpdateParams",
    "DELETE /v1/subscriptions/:id": "_subscription_cancel_params.SubscriptionCancelParams",
    "POST /v1/subscriptions/:id/resume": "_subscription_resume_params.SubscriptionResumeParams",
    "GET /v1/subscription_schedules/:id": "_subscription_schedule_retrieve_params.SubscriptionScheduleRetrieveParams",
    "POST /v1/subscription_schedules": "_subscription_schedule_create_params.SubscriptionScheduleCreateParams",
    "POST /v1/subscription_schedules/:id": "_subscription_schedule_update_params.SubscriptionScheduleUpdateParams",
    "POST /v1/subscription_schedules/:id/release": "_subscription_schedule_release_params.SubscriptionScheduleReleaseParams",
    "GET /v1/customers/:id": "_customer_retrieve_params.CustomerRetrieveParams",
    "POST /v1/customers": "_customer_create_params.CustomerCreateParams",
    "POST /v1/customers/:id": "_customer_update_params.CustomerUpdateParams",
    "GET /v1/customers/:id/payment_methods": "_customer_list_payment_methods_params.CustomerListPaymentMethodsParams",
    "GET /v1/checkout/sessions": "checkout._session_list_params.SessionListParams",
    "GET /v1/checkout/sessions/:id": "checkout._session_retrieve_params.SessionRetrieveParams",
    "GET /v1/checkout/sessions/:id/line_items": "checkout._session_list_line_items_params.SessionListLineItemsParams",
    "POST /v1/checkout/sessions": "checkout._session_create_params.SessionCreateParams",
    "POST /v1/checkout/sessions/:id/expire": "checkout._session_expire_params.SessionExpireParams",
    "GET /v1/payment_intents": "_payment_intent_list_params.PaymentIntentListParams",
    "GET /v1/payment_intents/:id": "_payment_intent_retrieve_params.PaymentIntentRetrieveParams",
    "POST /v1/payment_intents": "_payment_intent_create_params.PaymentIntentCreateParams",
    "POST /v1/payment_intents/:id/cancel": "_payment_intent_cancel_params.PaymentIntentCancelParams",
    "GET /v1/charges": "_charge_list_params.ChargeListParams",
    "GET /v1/charges/:id": "_charge_retrieve_params.ChargeRetrieveParams",
    "GET /v1/refunds": "_refund_list_params.RefundListParams",
    "GET /v1/refunds/:id": "_refund_retrieve_params.RefundRetrieveParams",
    "GET /v1/disputes": "_dispute_list_params.DisputeListParams",
    "GET /v1/disputes/:id": "_dispute_retrieve_params.DisputeRetrieveParams",
    "GET /v1/invoices": "_invoice_list_params.InvoiceListParams",
    "GET /v1/invoices/:id": "_invoice_retrieve_params.InvoiceRetrieveParams",
    "GET /v1/invoices/:id/lines": "_invoice_list_lines_params.InvoiceListLinesParams",
    "GET /v1/invoice_payments": "_invoice_payment_list_params.InvoicePaymentListParams",
    "POST /v1/invoices": "_invoice_create_params.InvoiceCreateParams",
    "POST /v1/invoiceitems": "_invoice_item_create_params.InvoiceItemCreateParams",
    "POST /v1/invoices/:id/finalize": "_invoice_finalize_invoice_params.InvoiceFinalizeInvoiceParams",
    "POST /v1/invoices/:id/pay": "_invoice_pay_params.InvoicePayParams",
    "POST /v1/invoices/:id/void": "_invoice_void_invoice_params.InvoiceVoidInvoiceParams",
    "GET /v1/events": "_event_list_params.EventListParams",
    "GET /v1/events/:id": "_event_retrieve_params.EventRetrieveParams",
    "POST /v1/billing_portal/sessions": "billing_portal._session_create_params.SessionCreateParams",
    "GET /v1/billing_portal/configurations": "billing_portal._configuration_list_params.ConfigurationListParams",
    "POST /v1/billing_portal/configurations": "billing_portal._configuration_create_params.ConfigurationCreateParams",
    "POST /v1/billing_portal/configurations/:id": "billing_portal._configuration_update_params.ConfigurationUpdateParams",
    "GET /v1/prices": "_price_list_params.PriceListParams",
    "GET /v1/prices/:id": "_price_retrieve_params.PriceRetrieveParams",
    "POST /v1/prices": "_price_create_params.PriceCreateParams",
    "POST /v1/prices/:id": "_price_update_params.PriceUpdateParams",
    "GET /v1/products": "_product_list_params.ProductListParams",
    "GET /v1/products/:id": "_product_retrieve_params.ProductRetrieveParams",
    "POST /v1/products": "_product_create_params.ProductCreateParams",
    "POST /v1/products/:id": "_product_update_params.ProductUpdateParams",
    "POST /v1/billing/meter_event_adjustments": "billing._meter_event_adjustment_create_params.MeterEventAdjustmentCreateParams",
    "POST /v1/billing/meter_events": "billing._meter_event_create_params.MeterEventCreateParams",
    "GET /v1/billing/meters": "billing._meter_list_params.MeterListParams",
    "GET /v1/billing/meters/:id/event_summaries": "billing._meter_list_event_summaries_params.MeterListEventSummariesParams",
}
# Options of a request, which the library has in the same class.
OPTIONS = set(importlib.import_module("stripe._request_options").RequestOptions.__annotations__)


def tree(source, name):
    """Names of the parameters of a class, with the names inside them, as its source has them."""
    body = re.search(rf"^class {name}\(.*?(?=^class |\Z)", source, re.M | re.S).group(0)
    names = {}
    for field, hint in re.findall(r'^    (\w+): (.*?)(?=^    \w+: |^    """|\Z)', body, re.M | re.S):
        if field in OPTIONS:
            continue
        inside = {}
        for other in re.findall(rf"\b{name}\w+", hint):
            inside |= tree(source, other)
        names[field] = "*" if "Dict[" in hint else inside
        # Nothing but an object stands here.
        if inside and re.fullmatch(rf"(NotRequired\[)?{name}\w+\]?", re.sub(r'[\s"]', "", hint)):
            inside["."] = {}
    return names


def main():
    calls = {}
    for call, place in CALLS.items():
        if place is None:
            calls[call] = {}
            continue
        path, name = place.rsplit(".", 1)
        module = importlib.import_module(f"stripe.params.{path}")
        calls[call] = tree(inspect.getsource(module), name)
    page = {"made_by": f"stripe {stripe.VERSION}", "calls": calls}
    here = pathlib.Path(__file__).parent
    (here / "parameters.json").write_text(json.dumps(page, separators=(",", ":")).replace('"GET ', '\n"GET ').replace('"POST ', '\n"POST ').replace('"DELETE ', '\n"DELETE ') + "\n")


main()
