//! What would end a denial, for who asks for that.

use api_types::{DecisionBody, OfferBody, OfferKind};
use quota_core::command::{ChangeWhen, Consume};
use quota_core::ids::AccountId;
use quota_core::rules::offers::{Offer, OfferedPlan, Offers};

use crate::ApiState;

/// Adds to a denial what would end it. They are looked for now and are no part of the answer that a key binds. Where the
/// account cannot be read, the denial is told without them: it stands.
pub(crate) async fn add_offers(
    state: &ApiState,
    body: &mut DecisionBody,
    (account, asked): (&AccountId, &Consume),
) {
    if body.allowed {
        return;
    }
    match state.engine().offers_for(account, asked).await {
        Ok(offers) => {
            body.offers = Some(offers.map_or_else(Vec::new, |offers| bodies(&offers)));
        }
        Err(error) => tracing::warn!(%error, "a denial is told without offers"),
    }
}

fn bodies(offers: &Offers) -> Vec<OfferBody> {
    let body = |offer| offer_body(offers, offer);
    offers.offers.iter().map(body).collect()
}

fn offer_body(offers: &Offers, offer: &Offer) -> OfferBody {
    match offer {
        Offer::Plan { plan, at_once } => OfferBody {
            when: at_once.then_some(ChangeWhen::Now),
            ..of_plan(offers, OfferKind::Plan, plan)
        },
        Offer::Addon {
            plan,
            quantity,
            held,
        } => OfferBody {
            quantity: Some(*quantity),
            held: Some(*held),
            ..of_plan(offers, OfferKind::Addon, plan)
        },
        Offer::Seats { plan, seats, held } => OfferBody {
            quantity: Some(*seats),
            held: Some(held.get()),
            ..of_plan(offers, OfferKind::Seats, plan)
        },
        Offer::Pack { pack, quantity } => OfferBody {
            pack: Some(pack.code.clone()),
            name: Some(pack.name.clone()),
            price: Some(pack.price),
            currency: Some(pack.currency.clone()),
            quantity: Some(*quantity),
            credits: Some(pack.credits),
            ..of_buyer(offers, OfferKind::Pack)
        },
        Offer::Credits(credits) => OfferBody {
            credits: Some(*credits),
            ..of_buyer(offers, OfferKind::Credits)
        },
    }
}

fn of_plan(offers: &Offers, kind: OfferKind, plan: &OfferedPlan) -> OfferBody {
    OfferBody {
        plan: Some(plan.code.clone()),
        name: Some(plan.name.clone()),
        price: Some(plan.price),
        currency: Some(plan.currency.clone()),
        interval: Some(plan.interval),
        ..of_buyer(offers, kind)
    }
}

fn of_buyer(offers: &Offers, kind: OfferKind) -> OfferBody {
    OfferBody {
        kind,
        account: offers.buyer.clone(),
        scope: offers.scope,
        plan: None,
        pack: None,
        name: None,
        price: None,
        currency: None,
        interval: None,
        when: None,
        quantity: None,
        held: None,
        credits: None,
    }
}
