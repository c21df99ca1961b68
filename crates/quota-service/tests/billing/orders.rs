//! The end state of a story is that of its facts: in every order of its events, told late, twice or never, and with fetches that end in
//! another order than they began (P1, P3, P6).

use std::sync::Arc;

use quota_core::ports::{FixedClock, PaymentProvider, Webhook};
use quota_core::provider::{KeptEvent, ObjectKind};
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use testkit::fake_stripe::FakeStripe;
use testkit::memory::MemoryStore;

use crate::longer;
use crate::recording::{Recorded, Story};
use crate::shop::{SHAPES, START, Shop, at, named};
use crate::standing::Standing;
use crate::stories::{STORIES, story};

/// Most events of a story that are told in all orders: 720.
const EVENTS_MAX: usize = 6;
/// Orders of each story and shape that are tried unless all are asked for.
const ORDERS: usize = 40;

/// A shop of ann's that hears the story again; nothing of it is told yet.
async fn listener(story: &Story) -> (Shop, Arc<Recorded>) {
    let recorded = Recorded::of(story);
    let fake = FakeStripe::without_port(START);
    let clock = Arc::new(FixedClock::at(at(START)));
    let provider: Arc<dyn PaymentProvider> = Arc::<Recorded>::clone(&recorded);
    let memory = Arc::new(MemoryStore::new());
    let shop = Shop::with((fake, provider), memory, clock).await;
    shop.user("ann").await;
    shop.clock.set(story.ended_at);
    recorded.set(0);
    shop.link(&story.customer, "ann").await;
    recorded.set(story.steps().end - 1);
    (shop, recorded)
}

impl Shop {
    async fn hear(&self, event: &KeptEvent) {
        self.tick();
        let mut event = event.clone();
        event.received_at = self.engine.now();
        let webhook = Webhook {
            event,
            account: None,
        };
        self.billing.take_webhook(webhook).await.expect("is kept");
    }
}

/// The end of a story whose events are told in this order, one after the other; or all at first, and then worked on.
async fn end_of(story: &Story, order: &[usize], is_worked_at_once: bool) -> Standing {
    let (shop, _) = listener(story).await;
    for place in order {
        shop.hear(&story.events[*place]).await;
        if is_worked_at_once {
            shop.work().await;
        }
    }
    shop.work().await;
    let standing = shop.standing("ann").await;
    shop.engine.stop().await;
    standing
}

/// All orders of so many things (Heap's way).
fn orders(count: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..count).collect();
    let mut all = vec![order.clone()];
    let mut counters = vec![0; count];
    let mut at = 0;
    while at < count {
        if counters[at] < at {
            let with = if at % 2 == 0 { 0 } else { counters[at] };
            order.swap(with, at);
            all.push(order.clone());
            counters[at] += 1;
            at = 0;
        } else {
            counters[at] = 0;
            at += 1;
        }
    }
    all
}

/// The events of a story that are told in all orders: the last ones of each payment and subscription, so that none is left out.
fn told(story: &Story) -> Story {
    let mut story = story.clone();
    while EVENTS_MAX < story.events.len() {
        let is_repeated = |place: &usize| {
            let about = &story.events[*place].about;
            let others = story.events[place + 1..].iter();
            others.clone().any(|other| other.about == *about)
        };
        let place = (0..story.events.len()).find(is_repeated).unwrap_or(0);
        story.events.remove(place);
        story.made_in.remove(place);
    }
    story
}

async fn in_all_orders(number: usize) {
    let (name, _) = STORIES[number];
    let mut ends: Vec<Standing> = Vec::new();
    for (seed, shape) in (0..).zip(SHAPES) {
        let story = told(&story(number, shape).await);
        let count = story.events.len();
        assert!(4 <= count, "{name}: {count} events");
        let mut all = orders(count);
        assert_eq!(all.len(), (1..=count).product::<usize>());
        let wanted = longer(ORDERS);
        if wanted < all.len() {
            all.shuffle(&mut StdRng::seed_from_u64(seed));
            all.truncate(wanted);
        }
        let first = end_of(&story, &(0..count).collect::<Vec<_>>(), true).await;
        for (at, order) in all.iter().enumerate() {
            let end = end_of(&story, order, at % 2 == 0).await;
            assert_eq!(end, first, "{name} {shape:?} {order:?}");
        }
        ends.push(first);
    }
    assert_eq!(ends[0], ends[1], "{name}: both shapes come to the same");
}

/// The same by whatever story: in time, late, repeated, lost and found later.
async fn as_it_happens(number: usize) {
    let (name, _) = STORIES[number];
    for shape in SHAPES {
        let story = story(number, shape).await;
        let all: Vec<usize> = (0..story.events.len()).collect();
        let first = end_of(&story, &all, true).await;
        for seed in 0..longer(20) {
            let mut random = StdRng::seed_from_u64(u64::try_from(seed).expect("small"));
            let (shop, recorded) = listener(&story).await;
            let mut waiting: Vec<usize> = Vec::new();
            for step in story.steps() {
                recorded.set(step);
                waiting.extend(story.events_of(step));
                for _ in 0..random.random_range(0..=4) {
                    if let Some(place) = waiting.choose(&mut random) {
                        shop.hear(&story.events[*place]).await;
                    }
                    if random.random_bool(0.6) {
                        shop.work().await;
                    }
                }
            }
            // What never came is found in the list of events.
            waiting.shuffle(&mut random);
            for place in &waiting {
                for _ in 0..random.random_range(1..=5) {
                    shop.hear(&story.events[*place]).await;
                }
            }
            shop.work().await;
            let end = shop.standing("ann").await;
            assert_eq!(end, first, "{name} {shape:?} {seed}");
            shop.engine.stop().await;
        }
    }
}

/// Fetches that began one after the other, each having seen the provider as it was then, end in another order; the last one that began saw
/// everything.
async fn fetches_end_in_any_order(number: usize) {
    let (name, _) = STORIES[number];
    let story = story(number, SHAPES[0]).await;
    let all: Vec<usize> = (0..story.events.len()).collect();
    let first = end_of(&story, &all, true).await;
    let steps = story.steps().end;
    let first_of_payment = story.events.iter().find_map(|event| {
        let about = event.about.clone()?;
        let is_payments = !matches!(about.kind, ObjectKind::Customer | ObjectKind::Subscription);
        is_payments.then_some(about)
    });
    let paid = first_of_payment.expect("something is paid");
    let mut all_ends = orders(steps);
    all_ends.shuffle(&mut StdRng::seed_from_u64(7));
    all_ends.truncate(longer(30));
    for order in all_ends {
        let (shop, recorded) = listener(&story).await;
        let mut begun = Vec::new();
        for step in story.steps() {
            recorded.set(step);
            for is_payment in [true, false] {
                shop.tick();
                let held = recorded.hold();
                let (billing, paid) = (shop.billing.clone(), paid.clone());
                let customer = named(&story.customer);
                let task = tokio::spawn(async move {
                    if is_payment {
                        billing.sync_payment(&paid).await
                    } else {
                        billing.sync_customer(&customer).await
                    }
                });
                held.asked.await.expect("it is asked");
                begun.push(Some((held.go, task)));
            }
        }
        for step in &order {
            for at in [step * 2, step * 2 + 1] {
                let (go, task) = begun[at].take().expect("each ends once");
                go.send(()).expect("it waits");
                task.await.expect("it ends").expect("is synced");
            }
        }
        for event in &story.events {
            // Other payments of the story are told of as always.
            if event.about.as_ref() != Some(&paid) {
                shop.hear(event).await;
            }
        }
        let of_the_two = shop.standing("ann").await;
        shop.work().await;
        let end = shop.standing("ann").await;
        assert_eq!(end, first, "{name} {order:?}");
        assert_eq!(of_the_two.held, first.held, "{name} {order:?}");
        let row = |standing: &Standing| {
            let mut rows = standing.payments.iter();
            rows.find(|(id, ..)| *id == paid.id).cloned()
        };
        assert_eq!(row(&of_the_two), row(&first), "{name} {order:?}");
        shop.engine.stop().await;
    }
}

macro_rules! stories {
    ($($story:ident = $number:literal,)+) => { $(
        mod $story {
            /// P6: in all orders of its events.
            #[tokio::test]
            async fn ends_the_same_in_all_orders() {
                super::in_all_orders($number).await;
            }

            /// P1, P6: told as it happens, late, up to five times, or not at all until the next sync.
            #[tokio::test]
            async fn ends_the_same_whenever_it_is_told() {
                super::as_it_happens($number).await;
            }

            /// P6: the fetch that began last is believed, whichever ends last.
            #[tokio::test]
            async fn ends_the_same_whichever_fetch_ends_last() {
                super::fetches_end_in_any_order($number).await;
            }
        }
    )+ };
}

stories!(
    returns = 0,
    debit = 1,
    upgraded = 2,
    resubscribed = 3,
    with_pack = 4,
    two_packs = 5,
);
