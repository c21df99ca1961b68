//! What a varied script has in the place of some steps: commands that a plain one never has, and looks.

use chrono::{DateTime, Utc};
use quota_core::amount::{Amount, Limit};
use quota_core::catalog::{Cadence, Given};
use quota_core::command::{
    AccountSpec, Cancel, ChangePlan, ChangeWhen, ClearMemberLimit, ClearSpendCap, CloseWindows,
    Command, Consume, CreditPurchase, EndAddon, GiveBoost, GivePlan, GrantCredits, Presence,
    PutAccount, PutToken, Renew, Reset, SetAddon, SetGiven, SetMemberLimit, SetOverride, SetSeats,
    SetSpendCap, SetStatus, Subscribe, TakeBackBoost, TakeBackCredits, UsageAfterChange,
};
use quota_core::ids::{AccountId, FeatureCode, GrantId, OrgId, PlanCode};
use quota_core::item::Item;
use quota_core::quantity::Quantity;
use quota_core::terms::{Policy, Status};
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use super::cast::{Cast, Deed, Step, boost, cap_span, feature, had, other_feature, plain, token};
use super::looks::Look;
use super::payments::payment;

/// A step to put in the place of another, at `now`; `played` are those before it.
pub(super) fn replacement(
    random: &mut StdRng,
    cast: &Cast,
    (played, now): (&[Step], DateTime<Utc>),
) -> Step {
    let mut replacer = Replacer {
        random,
        cast,
        played,
        now,
    };
    replacer.step()
}

pub(super) fn quantity(random: &mut StdRng) -> Quantity {
    Quantity::new(random.random_range(1..4)).expect("in range")
}

struct Replacer<'a> {
    random: &'a mut StdRng,
    cast: &'a Cast,
    played: &'a [Step],
    now: DateTime<Utc>,
}

impl Replacer<'_> {
    fn step(&mut self) -> Step {
        match self.random.random_range(0..44) {
            0..6 => self.move_of_a_user(),
            6..11 => self.member_limit(),
            11..20 => self.look(),
            20..26 => self.of_a_payment(),
            26..33 => self.of_an_account(),
            _ => self.of_a_plan(),
        }
    }

    /// What is given to an account, or said of it.
    fn of_an_account(&mut self) -> Step {
        let account = self.anyone();
        let command = match self.random.random_range(0..11) {
            0 => Command::PutToken(PutToken {
                token: token(self.random),
                presence: Presence::Existing,
                cap: None,
                per: cap_span(self.random),
                expires_at: None,
            }),
            1 | 2 => Command::GiveBoost(GiveBoost {
                boost: boost(self.random),
                feature: feature(self.random),
                amount: self.amount(12),
                ends_at: None,
            }),
            3 => Command::TakeBackBoost(TakeBackBoost {
                boost: boost(self.random),
            }),
            4 => Command::SetOverride(SetOverride {
                feature: self.any_feature(),
                limit: Limit::Of(self.random.random_range(0..9)),
                expires_at: None,
            }),
            5 => self.reset_of_a_token(),
            6 => self.change_of(&account),
            7 => self.close_windows(),
            8 | 9 => self.given(),
            _ => Command::SetStatus(SetStatus {
                status: Status::Active,
            }),
        };
        plain(&account, command)
    }

    /// What is bought.
    fn of_a_plan(&mut self) -> Step {
        let account = self.anyone();
        let command = match self.random.random_range(0..10) {
            9 => self.given_plan(),
            0 => Command::Renew(Renew { ends_at: None }),
            1 | 2 => Command::SetSeats(SetSeats {
                seats: quantity(self.random),
            }),
            3 | 4 => self.addon(),
            5 => Command::EndAddon(EndAddon {
                plan: self.addon_code(),
            }),
            6 | 7 => Command::SetSpendCap(SetSpendCap {
                amount: self.random.random_range(0..60),
                by_owner: self.random.random_bool(0.3),
            }),
            _ => Command::ClearSpendCap(ClearSpendCap {
                by_owner: self.random.random_bool(0.3),
            }),
        };
        plain(&account, command)
    }

    fn given_plan(&mut self) -> Command {
        Command::GivePlan(GivePlan {
            plan: self.plan_code(),
            days: self.random.random_range(1..40),
            seats: quantity(self.random),
        })
    }

    fn plan_code(&mut self) -> PlanCode {
        let plan = ["free", "pro", "max", "eco"].choose(self.random);
        PlanCode::new(plan.expect("not empty")).expect("a literal code")
    }

    fn addon(&mut self) -> Command {
        Command::SetAddon(SetAddon {
            plan: self.addon_code(),
            quantity: quantity(self.random),
            ends_at: None,
        })
    }

    /// A token's use begins at 0 again (T3), alone or with that of a feature.
    fn reset_of_a_token(&mut self) -> Command {
        let with_feature = self.random.random_bool(0.3);
        Command::Reset(Reset {
            features: with_feature
                .then(|| self.any_feature())
                .into_iter()
                .collect(),
            token: Some(token(self.random)),
        })
    }

    /// Another zone, or of an org another policy; sometimes of an account that is not there.
    fn change_of(&mut self, account: &AccountId) -> Command {
        let zones = ["UTC", "Pacific/Apia", "Pacific/Pago_Pago", "Asia/Tokyo"];
        let zone = zones.choose(self.random);
        let policy = [Policy::Enforce, Policy::Track]
            .choose(self.random)
            .copied();
        let says_policy = *account == self.cast.org && self.random.random_bool(0.5);
        let spec = AccountSpec {
            time_zone: zone.and_then(|zone| zone.parse().ok()),
            policy: policy.filter(|_| says_policy),
            ..AccountSpec::default()
        };
        let presence = Presence::Any;
        Command::PutAccount(PutAccount { presence, spec })
    }

    /// Those of some features or of a cadence, as the jobs and an operator ask for.
    fn close_windows(&mut self) -> Command {
        let cadences = [
            Cadence::Hourly,
            Cadence::Weekly,
            Cadence::Monthly,
            Cadence::Subscription,
        ];
        let cadence = cadences.choose(self.random).copied();
        let by_cadence = self.random.random_bool(0.5);
        Command::CloseWindows(CloseWindows {
            cadence: cadence.filter(|_| by_cadence),
            features: if by_cadence {
                Vec::new()
            } else {
                vec![self.any_feature(), feature(self.random)]
            },
        })
    }

    /// Credits are bought or come back, or a provider tells of subscriptions.
    fn of_a_payment(&mut self) -> Step {
        if self.random.random_bool(0.2) {
            return self.take_back_credits();
        }
        let account = self.anyone();
        plain(&account, payment(self.random, self.now))
    }

    /// All that is left of a grant, or a part, of whoever got it (P19).
    fn take_back_credits(&mut self) -> Step {
        let granted = self.played.iter().filter_map(|step| match &step.deed {
            Deed::Ask(Command::GrantCredits(GrantCredits { grant, .. })) => {
                Some((step.account.clone(), grant.clone()))
            }
            Deed::Ask(Command::CreditPurchase(CreditPurchase { line, .. })) => {
                Some((step.account.clone(), line.grant()))
            }
            Deed::Ask(_) | Deed::Move(_) | Deed::Look(_) => None,
        });
        let granted: Vec<(AccountId, GrantId)> = granted.collect();
        let Some((account, grant)) = granted.choose(self.random).cloned() else {
            return self.look();
        };
        let in_part = self.random.random_bool(0.5);
        let credits = in_part.then(|| self.amount(4));
        plain(
            &account,
            Command::TakeBackCredits(TakeBackCredits { grant, credits }),
        )
    }

    /// A flag or a setting that an account has by itself (F6); now and then of the wrong kind.
    fn given(&mut self) -> Command {
        let value = match self.random.random_range(0..4) {
            0 | 1 => Given::Flag(self.random.random()),
            2 => Given::Number(self.random.random_range(0..100)),
            _ => Given::Text("own".to_owned()),
        };
        Command::SetGiven(SetGiven {
            feature: had(self.random),
            value,
            expires_at: None,
        })
    }

    /// What members may use: all of an org, or one of them.
    fn member_limit(&mut self) -> Step {
        let account = self.anyone();
        let member_of = (account != self.cast.org).then(|| self.cast.org_id.clone());
        let feature = feature(self.random);
        let command = if self.random.random_bool(0.2) {
            Command::ClearMemberLimit(ClearMemberLimit { feature, member_of })
        } else {
            Command::SetMemberLimit(SetMemberLimit {
                feature,
                limit: Limit::Of(self.random.random_range(0..12)),
                expires_at: None,
                member_of,
            })
        };
        plain(&account, command)
    }

    fn look(&mut self) -> Step {
        let account = self.anyone();
        let look = match self.random.random_range(0..9) {
            0..4 => Look::Check(self.asked()),
            4 => Look::Overview,
            5 => Look::Entitlements,
            6 => Look::Offers(self.asked()),
            _ => Look::Preview(self.change_of_a_plan()),
        };
        Step {
            account,
            key: None,
            deed: Deed::Look(look),
            about: None,
        }
    }

    /// What is checked: a flag or a setting as often as what is counted, alone or together (C2).
    fn asked(&mut self) -> Consume {
        let count = if self.random.random_bool(0.7) { 1 } else { 3 };
        let item = |replacer: &mut Self| Item {
            feature: replacer.any_feature(),
            amount: replacer.amount(9),
        };
        let with_token = self.random.random_bool(0.3);
        Consume {
            token: with_token.then(|| token(self.random)),
            items: (0..count).map(|_| item(self)).collect(),
        }
    }

    /// What may be previewed.
    fn change_of_a_plan(&mut self) -> Command {
        let plan = self.plan_code();
        match self.random.random_range(0..7) {
            5 => self.given_plan(),
            0 => Command::Subscribe(Subscribe::to(plan)),
            1 => Command::ChangePlan(ChangePlan {
                plan,
                when: [None, Some(ChangeWhen::Now), Some(ChangeWhen::PeriodEnd)]
                    .choose(self.random)
                    .copied()
                    .flatten(),
                usage: UsageAfterChange::Restart,
            }),
            2 => Command::SetSeats(SetSeats {
                seats: quantity(self.random),
            }),
            3 => self.addon(),
            4 => Command::Renew(Renew { ends_at: None }),
            _ => Command::Cancel(Cancel {
                at_once: self.random.random_bool(0.5),
            }),
        }
    }

    fn move_of_a_user(&mut self) -> Step {
        let orgs: [Option<&OrgId>; 5] = [
            None,
            None,
            Some(&self.cast.org_id),
            Some(&self.cast.org_id),
            Some(&self.cast.other_org),
        ];
        let to = orgs.choose(self.random).copied().flatten().cloned();
        Step {
            account: self.user(),
            key: None,
            deed: Deed::Move(to),
            about: None,
        }
    }

    fn any_feature(&mut self) -> FeatureCode {
        match self.random.random_range(0..4) {
            0 => had(self.random),
            1 => other_feature(self.random),
            _ => feature(self.random),
        }
    }

    fn amount(&mut self, below: u64) -> Amount {
        Amount::new(self.random.random_range(1..below)).expect("in range")
    }

    fn addon_code(&mut self) -> PlanCode {
        let code = ["more", "extra", "pro"].choose(self.random);
        PlanCode::new(code.expect("not empty")).expect("a literal code")
    }

    fn anyone(&mut self) -> AccountId {
        if self.random.random_bool(0.2) {
            return self.cast.org.clone();
        }
        self.user()
    }

    fn user(&mut self) -> AccountId {
        let users: Vec<_> = self.cast.users().collect();
        let user = users.choose(self.random);
        (*user.expect("there are users")).clone()
    }
}
