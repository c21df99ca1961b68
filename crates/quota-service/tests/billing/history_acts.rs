//! What is done in a history beside paying: credits are spent, held, given by a code, and lost.

use chrono::TimeDelta;
use quota_core::amount::Amount;
use quota_core::audit::audit;
use quota_core::balance::Bucket;
use quota_core::code::{CodeGift, CodeWindow, CreditsGift};
use quota_core::command::{CloseWindows, Command, TellExpiry};
use quota_core::event::EventKind;
use quota_core::origin::Origin;
use quota_core::ports::CodeStore;
use quota_service::prelude::{Commit, Decision, Release, Reserve};
use quota_service::{Codes, NewCodes, Redeem};
use rand::RngExt;
use rand::seq::IndexedRandom;
use std::sync::Arc;

use crate::history::History;
use crate::model::{Draws, Pack, Warning};
use crate::shop::{Stored, account};

const TTL_SECONDS: u32 = 3_600;
/// Days before an end, as the job has them.
const BOUNDS: [u32; 2] = [7, 1];
const EVENTS_MAX: u32 = 1_000;

impl<S: Stored> History<'_, S> {
    fn id(&self) -> String {
        format!("user:{}", self.name)
    }

    pub async fn spend(&mut self) {
        let credits = self.random.random_range(1..120);
        let draws = self.wallet.draws(credits, self.now());
        assert_eq!(
            self.shop.spend(&self.name, credits).await,
            draws.is_some(),
            "{credits}"
        );
        self.wallet.spend(&draws.unwrap_or_default());
    }

    pub async fn reserve(&mut self) {
        let credits = self.random.random_range(1..120);
        let draws = self.wallet.draws(credits, self.now());
        let asked = Reserve::of("requests", credits, TTL_SECONDS);
        let held = self.shop.engine.reserve(&self.id(), asked).await;
        match (held.expect("is decided"), draws) {
            (Decision::Allowed(held), Some(draws)) => {
                self.wallet.hold(&draws);
                let ends_at = self.now() + TimeDelta::seconds(TTL_SECONDS.into());
                self.holds.push((held.reference(), ends_at, draws));
            }
            (Decision::Denied(_), None) => {}
            (decision, draws) => panic!("{decision:?}, and {draws:?} by the model"),
        }
    }

    /// Commits some of a hold, or gives it back.
    pub async fn settle(&mut self) {
        if self.holds.is_empty() {
            return;
        }
        let at = self.random.random_range(0..self.holds.len());
        let (reference, _, draws) = self.holds.remove(at);
        self.wallet.give_back(&draws);
        let engine = &self.shop.engine;
        if self.random.random_bool(0.3) {
            engine
                .release(Release::of(&reference))
                .await
                .expect("is given back");
            return;
        }
        let held = draws.iter().map(|(_, drawn)| drawn).sum();
        let actual = self.random.random_range(1..=held);
        let committed = engine.commit(Commit::of(&reference, actual)).await;
        committed.expect("is spent");
        let mut left = actual;
        let mut spent = Draws::new();
        for (place, drawn) in draws {
            let part = drawn.min(left);
            left -= part;
            spent.push((place, part));
        }
        self.wallet.spend(&spent);
    }

    /// A hold past its deadline counts nothing (R4).
    pub fn expire(&mut self) {
        let now = self.now();
        let (live, over): (Vec<_>, Vec<_>) = std::mem::take(&mut self.holds)
            .into_iter()
            .partition(|(_, ends_at, _)| now < *ends_at);
        self.holds = live;
        for (_, _, draws) in over {
            self.wallet.give_back(&draws);
        }
    }

    /// Redeems a new code for credits, or one that was redeemed before: once.
    pub async fn redeem(&mut self) {
        self.tick();
        let is_old = self.random.random_bool(0.4);
        if let Some(code) = self.codes.choose(&mut self.random).filter(|_| is_old) {
            assert!(!self.redeems(code.clone()).await, "it was redeemed before");
            return;
        }
        let credits = self.random.random_range(1..80);
        let days = self.random.random_bool(0.7);
        let days = days.then(|| self.random.random_range(1..40));
        let code = self.new_code(credits, days).await;
        assert!(self.redeems(code.clone()).await, "it is new");
        self.codes.push(code);
        let now = self.now();
        self.wallet.packs.push(Pack {
            ends_at: days.map(|days| now + TimeDelta::days(days.into())),
            ..Pack::new(credits, 0, now)
        });
    }

    fn all_codes(&self) -> Codes {
        let store: Arc<dyn CodeStore> = Arc::<S>::clone(&self.shop.store);
        Codes::new(self.shop.engine.clone(), store)
    }

    async fn new_code(&self, credits: u64, days: Option<u32>) -> String {
        let codes = self.all_codes();
        let made = codes.make(NewCodes {
            name: "spring".to_owned(),
            gift: CodeGift::Credits(CreditsGift {
                credits: Amount::new(credits).expect("an amount"),
                priority: 0,
                days,
            }),
            uses_max: 1,
            window: CodeWindow::default(),
            count: 1,
            key: None,
        });
        let made = made.await.expect("is made").codes;
        made.expect("with its secret").remove(0).secret
    }

    /// Whether a code gives something.
    async fn redeems(&self, code: String) -> bool {
        let codes = self.all_codes();
        let redeemed = codes.redeem(Redeem {
            account: account(&self.name),
            code,
            key: None,
            origin: Origin::default(),
        });
        redeemed.await.expect("nobody else has it").is_news
    }

    /// What the job does that tells of credits that will be lost (P22).
    pub async fn warn(&mut self) {
        self.tick();
        let now = self.now();
        let mut wanted = self.wallet.warnings(&BOUNDS.map(i64::from), now);
        let days = BOUNDS.to_vec();
        let asked = Command::TellExpiry(TellExpiry { days });
        let told = self.shop.submit(&self.name, asked).await;
        told.expect("is told");
        let mut told = self.warnings().await.split_off(self.warned);
        self.warned += told.len();
        wanted.sort_unstable();
        told.sort_unstable();
        assert_eq!(told, wanted, "{:#?}", self.wallet);
    }

    /// All warnings that were told.
    async fn warnings(&self) -> Vec<Warning> {
        let id = account(&self.name);
        let events = self.shop.store.events_after(&id, &id, 0, EVENTS_MAX).await;
        let events = events.expect("is read").into_iter();
        let told = events.filter_map(|event| {
            let EventKind::CreditsExpiring {
                credits,
                expires_at,
                days,
                ..
            } = event.kind
            else {
                return None;
            };
            Some((credits, expires_at, days.into()))
        });
        told.collect()
    }

    /// What the nightly jobs do: nothing of it changes what can be spent or is owed (W5).
    pub async fn close(&mut self) {
        self.tick();
        for command in [
            Command::CloseWindows(CloseWindows::default()),
            Command::Sweep,
        ] {
            let done = self.shop.submit(&self.name, command).await;
            done.expect("is done");
        }
    }

    /// Each pack is there once, with what was spent of it, and the auditor finds nothing.
    pub async fn is_in_the_books(&self, told: &str) {
        let id = account(&self.name);
        let home = self.shop.store.audit_home(&id).await.expect("is read");
        let home = home.expect("it is there");
        assert_eq!(audit(&home), [], "{told}");
        let live = home.accounts.iter().flat_map(|(_, one)| one.books.all());
        // Of one that was closed and counts again, the closed one is empty.
        let closed = home.closed.iter().map(|closed| &closed.balance);
        let grants = live.chain(closed).filter_map(|balance| {
            let is_grant = matches!(balance.bucket, Bucket::Grant(_));
            let granted = balance.granted.ceiling().filter(|_| is_grant)?;
            (granted != 0).then_some((granted, balance.used))
        });
        let mut grants: Vec<_> = grants.collect();
        grants.sort_unstable();
        let packs = self.wallet.packs.iter();
        let mut packs: Vec<_> = packs.map(|pack| (pack.credits, pack.used)).collect();
        packs.sort_unstable();
        assert_eq!(grants, packs, "{told}");
    }
}
