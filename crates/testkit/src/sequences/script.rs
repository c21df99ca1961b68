//! Random scripts: what a few accounts of one org, and one without, are asked to do.

use chrono::TimeDelta;
use quota_core::amount::{Amount, Limit};
use quota_core::catalog::Cadence;
use quota_core::command::{
    AccountSpec, Cancel, ChangePlan, ChangeWhen, ClearOverride, CloseWindows, Command, Commit,
    Consume, Extend, GrantCredits, Presence, PutAccount, PutToken, Refund, Release,
    ReleaseCapacity, Renew, Reserve, Reset, RevokeToken, SetOverride, SetStatus, Subscribe, Track,
    UsageAfterChange,
};
use quota_core::ids::{AccountId, FeatureCode, GrantId, PlanCode, TokenId};
use quota_core::item::Item;
use quota_core::terms::{Policy, Status};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use uuid::Uuid;

use super::cast::{Cast, Deed, Step, cap_span, feature, plain, token};

const PLANS: [&str; 3] = ["free", "pro", "max"];

/// A script of `steps` steps; the same for the same seed.
pub(crate) fn script(cast: &Cast, seed: u64, steps: usize, with_keys: bool) -> Vec<Step> {
    let mut writer = Writer {
        random: StdRng::seed_from_u64(seed),
        cast,
        reserved: Vec::new(),
        spent: Vec::new(),
        with_keys,
    };
    let mut script = writer.opening();
    while script.len() < steps {
        let step = writer.step(script.len());
        script.push(step);
    }
    script
}

/// How long after each step the next one comes; the same for all scripts of a run.
pub(crate) fn pauses(seed: u64, steps: usize, longest: TimeDelta) -> Vec<TimeDelta> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut left = longest;
    let mut pause = || {
        let wanted = match random.random_range(0..10) {
            0..6 => TimeDelta::seconds(random.random_range(0..50)),
            6..8 => TimeDelta::minutes(random.random_range(1..600)),
            8 => TimeDelta::days(1),
            _ => TimeDelta::days(random.random_range(1..8)),
        };
        let taken = wanted.min(left);
        left -= taken;
        taken
    };
    (0..steps).map(|_| pause()).collect()
}

struct Writer<'a> {
    random: StdRng,
    cast: &'a Cast,
    reserved: Vec<(usize, AccountId)>,
    spent: Vec<(usize, AccountId)>,
    with_keys: bool,
}

impl Writer<'_> {
    fn opening(&mut self) -> Vec<Step> {
        let cast = self.cast;
        let put = |account: &AccountId, spec: AccountSpec| {
            let presence = Presence::New;
            plain(account, Command::PutAccount(PutAccount { presence, spec }))
        };
        let policy = *[Policy::Enforce, Policy::Enforce, Policy::Track]
            .choose(&mut self.random)
            .expect("not empty");
        let org = AccountSpec {
            policy: Some(policy),
            ..AccountSpec::default()
        };
        let mut steps = vec![
            put(&cast.org, org),
            put(&cast.loner, AccountSpec::default()),
        ];
        for member in &cast.members {
            let unlimited = [None, Some(false), Some(false)]
                .choose(&mut self.random)
                .copied()
                .flatten();
            let zone = ["UTC", "Europe/Berlin", "America/Sao_Paulo"].choose(&mut self.random);
            let time_zone = zone.and_then(|zone| zone.parse().ok());
            let spec = AccountSpec {
                org: Some(cast.org_id.clone()),
                unlimited,
                time_zone,
                ..AccountSpec::default()
            };
            steps.push(put(member, spec));
        }
        let everyone = cast.members.iter().chain([&cast.org, &cast.loner]);
        for account in everyone {
            if self.random.random_bool(0.8) {
                let command = Command::Subscribe(Subscribe::to(self.plan()));
                steps.push(plain(account, command));
            }
        }
        for member in &cast.members {
            let command = Command::PutToken(PutToken {
                token: self.token(),
                presence: Presence::Any,
                cap: Some(Limit::Of(25)),
                per: None,
                expires_at: None,
            });
            steps.push(plain(member, command));
        }
        steps
    }

    fn anyone(&mut self) -> AccountId {
        if self.random.random_bool(0.12) {
            return self.cast.org.clone();
        }
        self.user()
    }

    fn user(&mut self) -> AccountId {
        if self.random.random_bool(0.25) {
            return self.cast.loner.clone();
        }
        let member = self.cast.members.choose(&mut self.random);
        member.expect("there are members").clone()
    }

    fn feature(&mut self) -> FeatureCode {
        feature(&mut self.random)
    }

    fn plan(&mut self) -> PlanCode {
        let code = PLANS.choose(&mut self.random).expect("not empty");
        PlanCode::new(code).expect("a literal code")
    }

    fn token(&mut self) -> TokenId {
        token(&mut self.random)
    }

    fn some_token(&mut self) -> Option<TokenId> {
        self.random.random_bool(0.25).then(|| self.token())
    }

    fn amount(&mut self) -> Amount {
        Amount::new(self.random.random_range(1..8)).expect("in range")
    }

    fn items(&mut self) -> Vec<Item> {
        let count = if self.random.random_bool(0.8) { 1 } else { 3 };
        let item = |writer: &mut Self| Item {
            feature: writer.feature(),
            amount: writer.amount(),
        };
        (0..count).map(|_| item(self)).collect()
    }

    fn step(&mut self, number: usize) -> Step {
        let dice = self.random.random_range(0..100);
        let (account, command, about) = match dice {
            0..60 => self.use_of(number, dice),
            60..76 => self.settle(),
            _ => self.administer(number),
        };
        let may_have_key = self.with_keys && self.random.random_bool(0.3);
        Step {
            account,
            key: may_have_key.then(|| self.random.random_range(0..6)),
            deed: Deed::Ask(command),
            about,
        }
    }

    fn use_of(&mut self, number: usize, dice: u32) -> (AccountId, Command, Option<usize>) {
        let account = self.user();
        let token = self.some_token();
        let command = match dice {
            0..34 => {
                self.spent.push((number, account.clone()));
                let items = self.items();
                Command::Consume(Consume { token, items })
            }
            34..40 => {
                self.spent.push((number, account.clone()));
                let items = self.items();
                Command::Track(Track {
                    token,
                    items,
                    at: None,
                })
            }
            40..56 => {
                self.reserved.push((number, account.clone()));
                Command::Reserve(Reserve {
                    token,
                    feature: self.feature(),
                    amount: self.amount(),
                    ttl_seconds: *[5, 60, 86_400].choose(&mut self.random).expect("not empty"),
                })
            }
            _ => Command::ReleaseCapacity(ReleaseCapacity {
                feature: self.feature(),
                amount: self.amount(),
            }),
        };
        (account, command, None)
    }

    fn settle(&mut self) -> (AccountId, Command, Option<usize>) {
        let wants_refund = self.random.random_bool(0.3);
        let from = if wants_refund {
            &self.spent
        } else {
            &self.reserved
        };
        let Some((about, account)) = from.choose(&mut self.random).cloned() else {
            let account = self.anyone();
            return (account, Command::Sweep, None);
        };
        let id = Uuid::nil();
        let command = if wants_refund {
            let whole = self.random.random_bool(0.5);
            Command::Refund(Refund {
                operation: id,
                feature: (!whole).then(|| self.feature()),
                amount: (!whole).then(|| self.amount()),
            })
        } else {
            match self.random.random_range(0..10) {
                0..6 => Command::Commit(Commit {
                    reservation: id,
                    actual: self.random.random_range(0..12),
                }),
                6..9 => Command::Release(Release { reservation: id }),
                _ => Command::Extend(Extend {
                    reservation: id,
                    ttl_seconds: 3_600,
                }),
            }
        };
        (account, command, Some(about))
    }

    fn administer(&mut self, number: usize) -> (AccountId, Command, Option<usize>) {
        let account = self.anyone();
        let command = match self.random.random_range(0..24) {
            0..6 => self.subscription(),
            6 | 7 => Command::SetOverride(SetOverride {
                feature: self.feature(),
                limit: *[Limit::Of(0), Limit::Of(7), Limit::Unlimited]
                    .choose(&mut self.random)
                    .expect("not empty"),
                expires_at: None,
            }),
            8 => Command::ClearOverride(ClearOverride {
                feature: self.feature(),
            }),
            9..12 => Command::PutToken(PutToken {
                token: self.token(),
                presence: Presence::Any,
                cap: self.random.random_bool(0.8).then_some(Limit::Of(15)),
                per: cap_span(&mut self.random),
                expires_at: None,
            }),
            12 => Command::RevokeToken(RevokeToken {
                token: self.token(),
            }),
            13..17 => Command::GrantCredits(GrantCredits {
                grant: GrantId::new(&format!("g{number}")).expect("a short id"),
                credits: self.amount(),
                priority: self.random.random_range(0..3),
                expires_at: None,
            }),
            17 => Command::Reset(Reset {
                features: Vec::new(),
                token: None,
            }),
            18 => Command::Reset(Reset {
                features: vec![self.feature()],
                token: None,
            }),
            19 => self.account_change(&account),
            20 => Command::ExpireSubscription,
            21 => Command::CloseWindows(CloseWindows {
                cadence: None,
                features: Vec::new(),
            }),
            22 => Command::CloseWindows(CloseWindows {
                cadence: Some(Cadence::Daily),
                features: Vec::new(),
            }),
            _ => Command::Sweep,
        };
        (account, command, None)
    }

    fn account_change(&mut self, account: &AccountId) -> Command {
        let is_user = *account != self.cast.org;
        let zone = ["UTC", "Asia/Tokyo", "America/New_York"].choose(&mut self.random);
        let spec = AccountSpec {
            unlimited: is_user.then(|| self.random.random_bool(0.3)),
            disabled: Some(self.random.random_bool(0.1)),
            time_zone: zone.and_then(|zone| zone.parse().ok()),
            ..AccountSpec::default()
        };
        Command::PutAccount(PutAccount {
            presence: Presence::Existing,
            spec,
        })
    }

    fn subscription(&mut self) -> Command {
        let usage = if self.random.random_bool(0.5) {
            UsageAfterChange::Keep
        } else {
            UsageAfterChange::Restart
        };
        match self.random.random_range(0..10) {
            0..4 => Command::Subscribe(Subscribe::to(self.plan())),
            4 => Command::Renew(Renew { ends_at: None }),
            5 | 6 => Command::ChangePlan(ChangePlan {
                plan: self.plan(),
                when: [None, Some(ChangeWhen::Now), Some(ChangeWhen::PeriodEnd)]
                    .choose(&mut self.random)
                    .copied()
                    .flatten(),
                usage,
            }),
            7 => Command::SetStatus(SetStatus {
                status: *[Status::Active, Status::PastDue, Status::Unpaid]
                    .choose(&mut self.random)
                    .expect("not empty"),
            }),
            8 => Command::Resume,
            _ => Command::Cancel(Cancel {
                at_once: self.random.random_bool(0.5),
            }),
        }
    }
}
