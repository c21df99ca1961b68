//! Auto top-up (P20): a pack is bought off session when credits run low, once, and what goes wrong is told.

use chrono::{DateTime, TimeDelta, Utc};
use quota_core::amount::Amount;
use quota_core::answer::{Answer, Rejection};
use quota_core::change::Change;
use quota_core::command::{Command, SetTopUp};
use quota_core::event::EventKind;
use quota_core::ids::PackCode;
use quota_core::payment::PaymentStatus;
use quota_core::ports::{CatalogStore, TopUpPage, TopUpStore};
use quota_core::provider::{ProblemKind, TopUp, TopUpState};
use quota_core::terms::{AutoTopUp, TopUpFailure, TopUpOffReason};
use quota_service::Ask;
use quota_service::EngineError;
use quota_service::billing::{BillingError, TopUpLook, TopUpRefusal};
use quota_service::prelude::GrantCredits;
use testkit::fake_stripe::{Card, RefundAs, Shape};

use crate::shop::{DAY, Shop, Stored, account, at};
use crate::transport::CallFault;

const HOUR: i64 = 3_600;

impl<S: Stored> Shop<S> {
    /// Has the pack `small` bought for a user below a bound.
    pub async fn set_top_up(&self, name: &str, below: u64, most_per_month: u32) {
        self.tick();
        let (id, pack) = (account(name), PackCode::new("small").expect("a pack"));
        let prepared = self.billing.prepare_top_ups(&id, &pack).await;
        prepared.expect("it can be bought");
        let command = Command::SetTopUp(SetTopUp {
            pack,
            below: Amount::new(below).expect("an amount"),
            most_per_month,
        });
        self.submit(name, command).await.expect("is set");
        self.billing
            .settle_top_up_problem(&id)
            .await
            .expect("is settled");
    }

    /// A user with so many credits, who has a pack bought below a bound.
    pub async fn has_top_up(&self, name: &str, credits: u64, below: u64) {
        let gift = GrantCredits::of("gift", credits);
        let given = self
            .engine
            .grant_credits(&format!("user:{name}"), gift)
            .await;
        given.expect("is given");
        self.set_top_up(name, below, 10).await;
    }

    pub async fn submit(&self, name: &str, command: Command) -> Result<Answer, EngineError> {
        let ask = Ask {
            account: account(name),
            key: None,
            command,
            origin: quota_core::origin::Origin::default(),
        };
        let reply = self.engine.submit(ask).await?;
        Ok(reply.operation.answer.clone())
    }

    /// Looks whether a pack is to be bought.
    pub async fn look(&self, name: &str) -> Result<TopUpLook, BillingError> {
        self.tick();
        self.billing.top_up(&account(name)).await
    }

    async fn looks(&self, name: &str) -> TopUpLook {
        self.look(name).await.expect("everybody answers")
    }

    /// All top-ups of a user, the one that was begun first first.
    pub async fn top_ups(&self, name: &str) -> Vec<TopUp> {
        let page = TopUpPage {
            account: account(name),
            after: None,
            limit: 1_000,
        };
        let mut found = self.store.top_ups(&page).await.expect("is read");
        found.reverse();
        found
    }

    async fn top_up_states(&self, name: &str) -> Vec<TopUpState> {
        let top_ups = self.top_ups(name).await;
        top_ups.into_iter().map(|one| one.state).collect()
    }

    async fn wanted(&self, name: &str) -> AutoTopUp {
        let row = self.engine.account(&account(name)).await.expect("is read");
        let wanted = row.account.terms.auto_top_up;
        *wanted.expect("auto top-up is set")
    }

    /// The intents that Stripe made, and how each stands.
    pub fn intents(&self) -> Vec<(String, String)> {
        let made = self.fake.events().into_iter();
        let made = made.filter(|event| event.kind == "payment_intent.created");
        let told = made.map(|event| {
            let status = self.fake.object(&event.object)["status"].clone();
            (event.object, status.as_str().unwrap_or_default().to_owned())
        });
        told.collect()
    }

    fn intent_states(&self) -> Vec<String> {
        self.intents()
            .into_iter()
            .map(|(_, status)| status)
            .collect()
    }

    /// What the account's events told, as words.
    pub async fn told(&self, name: &str) -> Vec<String> {
        let id = account(name);
        let events = self.engine.storage().events_after(&id, &id, 0, 1_000).await;
        let events = events.expect("is read").into_iter();
        let ends = [
            Change::TopUpPaid,
            Change::TopUpFailed,
            Change::TopUpSwitchedOff,
        ];
        let words = events.filter_map(|event| {
            if let EventKind::QuotaUpdated { reason } = event.kind {
                return ends.contains(&reason).then(|| reason.as_str().to_owned());
            }
            let EventKind::CreditsLow { credits, below } = event.kind else {
                return None;
            };
            Some(format!("low: {credits} of {below}"))
        });
        words.collect()
    }

    pub async fn free(&self, name: &str) -> u64 {
        self.free_and_debt(name).await.0
    }
}

/// A shop whose customer `ann` has 12 credits, and a pack bought below 10.
pub async fn ready(card: Card) -> (Shop, String) {
    let shop = Shop::open(Shape::New).await;
    let customer = shop.customer("ann").await;
    shop.fake.set_card(&customer, card);
    shop.has_top_up("ann", 12, 10).await;
    (shop, customer)
}

/// The same with 8 credits: a pack is due.
async fn due(card: Card) -> (Shop, String) {
    let (shop, customer) = ready(card).await;
    assert!(shop.spend("ann", 4).await);
    (shop, customer)
}

#[tokio::test]
async fn p20_a_pack_is_bought_once_when_credits_fall_below_the_bound() {
    let (shop, _) = ready(Card::Good).await;
    assert!(shop.spend("ann", 2).await);
    assert_eq!(
        shop.looks("ann").await,
        TopUpLook::NotDue,
        "10 is not below 10"
    );
    assert!(shop.spend("ann", 1).await);
    assert_eq!(shop.told("ann").await, ["low: 9 of 10"]);
    assert_eq!(shop.looks("ann").await, TopUpLook::Paid);
    assert_eq!(shop.free("ann").await, 109);
    assert_eq!(shop.looks("ann").await, TopUpLook::NotDue);
    let bought = shop.top_ups("ann").await.remove(0);
    let intent = shop.intents().remove(0).0;
    assert_eq!(
        bought.payment.as_ref().map(ToString::to_string),
        Some(intent.clone())
    );
    assert_eq!((bought.state, bought.amount), (TopUpState::Paid, 1_000));
    let metadata = shop.fake.object(&intent)["metadata"].clone();
    assert_eq!(metadata["quota_top_up"], bought.id.to_string());
    assert_eq!(shop.told("ann").await, ["low: 9 of 10", "top_up_paid"]);
    // What the provider tells of it changes nothing more.
    shop.deliver_pending().await;
    shop.full_sync().await;
    let standing = shop.standing("ann").await;
    assert_eq!((standing.free, standing.problems), (109, Vec::new()));
    assert_eq!(standing.payments, [(intent, PaymentStatus::Paid, 1_000)]);
}

/// Falls below again are told again; that they are low already is told once.
#[tokio::test]
async fn p20_each_fall_below_the_bound_is_told_once() {
    let (shop, _) = due(Card::Good).await;
    assert!(shop.spend("ann", 3).await);
    assert_eq!(shop.told("ann").await, ["low: 8 of 10"]);
    assert_eq!(shop.looks("ann").await, TopUpLook::Paid);
    assert!(shop.spend("ann", 100).await);
    let told = ["low: 8 of 10", "top_up_paid", "low: 5 of 10"];
    assert_eq!(shop.told("ann").await, told);
}

/// Whoever notices buys at once: no job has to run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p20_the_process_that_notices_buys_at_once() {
    let (shop, _) = ready(Card::Good).await;
    let listening = shop.billing.keep_topping_up();
    tokio::task::yield_now().await;
    assert!(shop.spend("ann", 5).await);
    while shop.free("ann").await != 107 {
        tokio::task::yield_now().await;
    }
    while shop.top_up_states("ann").await != [TopUpState::Paid] {
        tokio::task::yield_now().await;
    }
    listening.abort();
}

/// Credits that expire are lost without a request: the job looks at all who may want a top-up.
#[tokio::test]
async fn p20_credits_that_expired_are_found_by_the_job() {
    let (shop, _) = ready(Card::Good).await;
    shop.user("bob").await;
    assert!(shop.spend("ann", 3).await);
    let until = shop.engine.now() + TimeDelta::hours(1);
    let short = GrantCredits::of("short", 20).expires_at(until);
    let given = shop.engine.grant_credits("user:ann", short).await;
    given.expect("is given");
    assert_eq!(shop.free("ann").await, 29);
    for (paid, pause) in [(0, 2 * HOUR), (1, 60), (0, 60)] {
        let looked = shop.billing.look_at_top_up_accounts(None).await;
        let looked = looked.expect("reads");
        let wanted = (1, paid, 0, None);
        assert_eq!(
            (looked.looked, looked.paid, looked.failed, looked.next),
            wanted
        );
        shop.pass(pause);
    }
    assert_eq!(shop.free("ann").await, 109);
}

#[tokio::test]
async fn p20_a_card_that_is_declined_is_told_and_tried_again_after_pauses_that_double() {
    let (shop, customer) = due(Card::Declined).await;
    assert_eq!(shop.looks("ann").await, TopUpLook::Failed);
    let failed = shop.top_ups("ann").await.remove(0);
    assert_eq!(
        (failed.state, failed.failure),
        (TopUpState::Failed, Some(TopUpFailure::Declined))
    );
    assert_eq!(
        failed.error.as_deref(),
        Some("Your card has insufficient funds.")
    );
    assert_eq!(
        shop.intent_states(),
        ["canceled"],
        "nobody can pay it any more"
    );
    assert_eq!(shop.problem_kinds().await, [ProblemKind::TopUpFailed]);
    let wanted = shop.wanted("ann").await;
    let in_an_hour = failed.ended_at.map(|at| at + TimeDelta::hours(1));
    assert_eq!((wanted.failures, wanted.next_try_at()), (1, in_an_hour));
    shop.pass(HOUR - 60);
    assert_eq!(shop.looks("ann").await, TopUpLook::NotDue);
    shop.pass(61);
    assert_eq!(shop.looks("ann").await, TopUpLook::Failed);
    shop.pass(2 * HOUR - 60);
    assert_eq!(shop.looks("ann").await, TopUpLook::NotDue);
    shop.fake.set_card(&customer, Card::Good);
    shop.pass(61);
    assert_eq!(shop.looks("ann").await, TopUpLook::Paid);
    assert_eq!(shop.intent_states(), ["canceled", "canceled", "succeeded"]);
    let wanted = shop.wanted("ann").await;
    assert_eq!(
        (wanted.failures, wanted.failure, wanted.is_on()),
        (0, None, true)
    );
    assert_eq!(shop.problem_kinds().await, [], "it is settled by itself");
    let told = [
        "low: 8 of 10",
        "top_up_failed",
        "top_up_failed",
        "top_up_paid",
    ];
    assert_eq!(shop.told("ann").await, told);
    shop.deliver_pending().await;
    assert_eq!(shop.free("ann").await, 108);
}

#[tokio::test]
async fn p20_three_failures_in_a_row_switch_it_off_until_it_is_set_again() {
    let (shop, customer) = due(Card::NeedsCustomer).await;
    for pause in [HOUR + 1, 2 * HOUR + 1, 40 * DAY] {
        assert_eq!(shop.looks("ann").await, TopUpLook::Failed);
        shop.pass(pause);
    }
    assert_eq!(shop.looks("ann").await, TopUpLook::NotDue);
    let off = shop.wanted("ann").await.off.expect("it is off");
    assert_eq!(off.why, TopUpOffReason::Failed);
    let told = [
        "low: 8 of 10",
        "top_up_failed",
        "top_up_failed",
        "top_up_switched_off",
    ];
    assert_eq!(shop.told("ann").await, told);
    assert_eq!(shop.problem_kinds().await, [ProblemKind::TopUpFailed]);
    shop.fake.set_card(&customer, Card::Good);
    shop.set_top_up("ann", 10, 10).await;
    assert_eq!(shop.problem_kinds().await, []);
    assert_eq!(shop.looks("ann").await, TopUpLook::Paid);
    assert_eq!(shop.wanted("ann").await.failures, 0);
}

/// The bank asks for the one who pays (SCA), and nobody is there.
#[tokio::test]
async fn p20_a_bank_that_asks_for_the_payer_is_told_as_that() {
    let (shop, _) = due(Card::NeedsCustomer).await;
    assert_eq!(shop.looks("ann").await, TopUpLook::Failed);
    let failure = shop.top_ups("ann").await.remove(0).failure;
    assert_eq!(failure, Some(TopUpFailure::AuthenticationRequired));
    assert_eq!(shop.intent_states(), ["canceled"]);
    shop.deliver_pending().await;
    assert_eq!(shop.free("ann").await, 8);
}

/// What was added last is charged where no default is set; with nothing to pay with, or nobody, nothing is asked for.
#[tokio::test]
async fn p20_who_has_nothing_to_pay_with_is_told_so() {
    let (shop, customer) = due(Card::None).await;
    assert_eq!(shop.looks("ann").await, TopUpLook::Failed);
    shop.fake.add_card(&customer, Card::Declined);
    shop.fake.add_card(&customer, Card::Good);
    shop.pass(HOUR + 1);
    assert_eq!(shop.looks("ann").await, TopUpLook::Paid);
    assert!(shop.spend("ann", 105).await);
    shop.fake.remove_customer(&customer);
    assert_eq!(shop.looks("ann").await, TopUpLook::Failed);
    shop.deliver_pending().await;
    shop.pass(HOUR + 1);
    assert_eq!(shop.looks("ann").await, TopUpLook::Failed);
    let failures: Vec<_> = shop
        .top_ups("ann")
        .await
        .into_iter()
        .map(|one| one.failure)
        .collect();
    let gone = Some(TopUpFailure::NoCustomer);
    assert_eq!(
        failures,
        [Some(TopUpFailure::NoPaymentMethod), None, gone, gone]
    );
    assert_eq!(shop.intent_states(), ["succeeded"]);
    let refused = shop
        .billing
        .prepare_top_ups(&account("ann"), &PackCode::new("small").expect("a pack"))
        .await;
    assert!(
        matches!(refused, Err(TopUpRefusal::NoCustomer(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn p20_a_pack_that_is_not_sold_any_more_is_not_bought() {
    let (shop, _) = due(Card::Good).await;
    let catalog = shop.engine.catalog_now();
    let mut next = (*catalog).clone();
    next.version += 1;
    let gone = next
        .packs
        .remove(&PackCode::new("small").expect("a pack"))
        .expect("is sold");
    next.former_packs.insert(gone.code.clone(), gone);
    let stored = shop.store.put_catalog(&next, None, shop.engine.now()).await;
    assert!(stored.expect("is stored"));
    shop.engine.catalog().await.expect("is read");
    assert_eq!(shop.looks("ann").await, TopUpLook::Failed);
    let failure = shop.top_ups("ann").await.remove(0).failure;
    assert_eq!(
        (failure, shop.intents().len()),
        (Some(TopUpFailure::NotForSale), 0)
    );
}

/// A provider that is away: nothing is known, nothing is counted as failed, and the same top-up is asked for again.
#[tokio::test]
async fn p20_a_provider_that_is_away_is_asked_again_for_the_same() {
    let (shop, _) = due(Card::Good).await;
    for pause in [60, 120, 240, 3 * HOUR] {
        // The charge, or the look for it.
        shop.faults
            .fail(if pause == 60 { 2 } else { 1 }, CallFault::Status(500));
        let error = shop.look("ann").await.expect_err("it is away");
        assert!(matches!(error, BillingError::Provider(_)), "{error}");
        assert_eq!(shop.looks("ann").await, TopUpLook::UnderWay);
        shop.pass(pause + 1);
    }
    assert_eq!(shop.wanted("ann").await.failures, 0);
    let open = shop.top_ups("ann").await.remove(0);
    assert!(open.error.is_some_and(|error| error.contains("500")));
    let looked = shop.billing.look_at_open_top_ups().await.expect("reads");
    assert_eq!((looked.looked, looked.paid), (1, 1));
    assert_eq!(shop.intent_states(), ["succeeded"]);
    assert_eq!(shop.top_up_states("ann").await, [TopUpState::Paid]);
}

/// A time-out after the effect, also when Stripe has forgotten the key: what was paid is found.
#[tokio::test]
async fn p20_a_payment_whose_answer_was_lost_is_found_and_not_repeated() {
    for pause in [HOUR, 3 * DAY] {
        let (shop, _) = due(Card::Good).await;
        shop.faults.fail(2, CallFault::LostAfter);
        shop.look("ann").await.expect_err("the answer is lost");
        assert_eq!(
            (shop.intent_states(), shop.free("ann").await),
            (vec!["succeeded".to_owned()], 8)
        );
        shop.pass(pause);
        assert_eq!(shop.looks("ann").await, TopUpLook::Paid);
        assert_eq!((shop.intents().len(), shop.free("ann").await), (1, 108));
    }
}

/// The same for one that was declined: it is told once, and canceled.
#[tokio::test]
async fn p20_a_decline_whose_answer_was_lost_is_found() {
    let (shop, customer) = due(Card::Declined).await;
    shop.faults.fail(2, CallFault::LostAfter);
    shop.look("ann").await.expect_err("the answer is lost");
    shop.fake.set_card(&customer, Card::Good);
    shop.pass(HOUR);
    assert_eq!(shop.looks("ann").await, TopUpLook::Failed);
    assert_eq!(shop.intent_states(), ["canceled"]);
    assert_eq!(shop.wanted("ann").await.failures, 1);
}

/// A debit that takes days: nothing more is bought until it is settled.
#[tokio::test]
async fn p20_the_next_is_bought_only_after_the_last_is_settled() {
    for is_paid in [true, false] {
        let (shop, _) = due(Card::Late).await;
        assert_eq!(shop.looks("ann").await, TopUpLook::Open);
        let intent = shop.intents().remove(0).0;
        for _ in 0..4 {
            shop.pass(HOUR);
            assert_eq!(shop.looks("ann").await, TopUpLook::Open);
        }
        assert_eq!((shop.intents().len(), shop.free("ann").await), (1, 8));
        shop.fake.payment_ends(&intent, is_paid);
        shop.pass(HOUR);
        let look = shop.looks("ann").await;
        if is_paid {
            assert_eq!((look, shop.free("ann").await), (TopUpLook::Paid, 108));
        } else {
            assert_eq!(
                (look, shop.intent_states()),
                (TopUpLook::Failed, vec!["canceled".to_owned()])
            );
        }
    }
}

/// Paid and open ones count, in the calendar month of the account's zone.
#[tokio::test]
async fn p20_a_month_has_its_limit() {
    let (shop, _) = due(Card::Good).await;
    let zone = quota_service::prelude::PutAccount::change().time_zone("Pacific/Auckland");
    shop.engine
        .put_account("user:ann", zone)
        .await
        .expect("is set");
    shop.set_top_up("ann", 10, 2).await;
    for _ in 0..2 {
        assert_eq!(shop.looks("ann").await, TopUpLook::Paid);
        assert!(shop.spend("ann", 100).await);
    }
    assert_eq!(shop.looks("ann").await, TopUpLook::MonthFull);
    // 31 January 10:00 UTC is 23:00 there: its February begins an hour later.
    shop.pass(HOUR - 60);
    assert_eq!(shop.looks("ann").await, TopUpLook::MonthFull);
    shop.pass(120);
    assert_eq!(shop.looks("ann").await, TopUpLook::Paid);
    let standing = shop
        .billing
        .top_up_standing(&account("ann"), 2)
        .await
        .expect("reads");
    let standing = standing.expect("it is set");
    let next: DateTime<Utc> = at(1_801_389_600 + HOUR + 28 * DAY);
    assert_eq!(
        (standing.bought_this_month, standing.month_ends_at),
        (1, Some(next))
    );
    assert_eq!(standing.last.len(), 2);
}

/// Whoever wants the money of a top-up back wants no further one.
#[tokio::test]
async fn p20_money_that_came_back_switches_it_off() {
    for is_disputed in [false, true] {
        let (shop, customer) = due(Card::Good).await;
        assert_eq!(shop.looks("ann").await, TopUpLook::Paid);
        let intent = shop.intents().remove(0).0;
        if is_disputed {
            shop.fake.dispute(&intent, 1_000, "needs_response");
        } else {
            let refund = shop.fake.refund(&intent, 1_000, RefundAs::Succeeded);
            refund.expect("so much is left");
        }
        shop.deliver_pending().await;
        assert_eq!(shop.free("ann").await, 8);
        assert_eq!(shop.looks("ann").await, TopUpLook::SwitchedOff);
        assert_eq!(shop.looks("ann").await, TopUpLook::NotDue);
        let off = shop.wanted("ann").await.off.expect("it is off");
        assert_eq!(off.why, TopUpOffReason::CameBack);
        assert_eq!(shop.top_up_states("ann").await, [TopUpState::Paid]);
        let told = shop.told("ann").await;
        assert_eq!(told.last().map(String::as_str), Some("top_up_switched_off"));
        // Set again, what came back before counts no more.
        shop.set_top_up("ann", 10, 10).await;
        assert_eq!(shop.looks("ann").await, TopUpLook::Paid, "{customer}");
    }
}

/// What nobody wants any more is not bought, and what is paid is credited all the same.
#[tokio::test]
async fn p20_cleared_meanwhile_it_is_dropped_unless_it_was_paid() {
    for (fault, intents, free) in [
        (CallFault::LostBefore, 0, 8),
        (CallFault::LostAfter, 1, 108),
    ] {
        let (shop, _) = due(Card::Good).await;
        shop.faults.fail(2, fault);
        shop.look("ann").await.expect_err("nothing is known");
        shop.submit("ann", Command::ClearTopUp)
            .await
            .expect("is cleared");
        shop.pass(HOUR);
        shop.looks("ann").await;
        assert_eq!(
            (shop.intents().len(), shop.free("ann").await),
            (intents, free),
            "{fault:?}"
        );
        let open = shop.store.open_top_up(&account("ann")).await;
        assert_eq!(open.expect("is read"), None);
    }
}

#[tokio::test]
async fn p20_what_cannot_be_right_is_refused_and_changes_nothing() {
    let (shop, _) = ready(Card::Good).await;
    let set = |pack: &str, below, most_per_month| {
        Command::SetTopUp(SetTopUp {
            pack: PackCode::new(pack).expect("a pack"),
            below: Amount::new(below).expect("an amount"),
            most_per_month,
        })
    };
    let before = shop.wanted("ann").await;
    for (command, field) in [
        (set("nothing", 10, 1), "pack"),
        (set("small", 101, 1), "below"),
        (set("small", 10, 0), "most_per_month"),
        (set("small", 10, 101), "most_per_month"),
    ] {
        let refused = shop.submit("ann", command).await;
        let Err(EngineError::Rejected(rejection)) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(rejection.field(), Some(field), "{rejection}");
        assert_ne!(rejection, Rejection::UnknownAccount);
    }
    assert_eq!(shop.wanted("ann").await, before);
}
