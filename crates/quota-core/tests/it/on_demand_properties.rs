//! Money owed and caps, whatever is asked (C11).

use crate::on_demand::{LIMIT, cap, owed};
use crate::stage::{Stage, consume};
use proptest::prelude::*;
use quota_core::audit::audit;
use quota_core::sale::Sale;

proptest! {
    /// C11: money owed is units × price for `per`, rounded up to a whole minor unit; what is sold never comes to more than the
    /// cap, and one more unit would.
    #[test]
    fn money_owed_is_units_times_price_to_the_unit(
        price in 1_u64..=1_000_000_000_000_000, per in 1_u64..=9_000_000_000_000_000_000,
        cap in 0_u64..=1_000_000_000_000_000, units in 0_u64..=9_000_000_000_000_000_000,
    ) {
        let sale = Sale { price, per, currency: "eur".to_owned(), meter: None };
        let whole = u128::from(units) * u128::from(price);
        let owed = whole / u128::from(per) + u128::from(whole % u128::from(per) != 0);
        prop_assert_eq!(u128::from(sale.owed(units)), owed.min(u64::MAX.into()));
        let most = sale.units_within(cap);
        prop_assert!(sale.owed(most) <= cap);
        if most < quota_core::amount::COUNT_MAX {
            prop_assert!(cap < sale.owed(most + 1));
        }
    }

    /// C11: whatever is asked in whatever order under whichever caps, what is sold stays within them, and a request that fits is
    /// allowed.
    #[test]
    fn what_is_sold_stays_within_every_cap_and_no_less_is_sold(
        asks in prop::collection::vec((0_usize..2, 1_u64..12), 1..40), own in prop::option::of(0_u64..200),
    ) {
        let mut stage = Stage::user("meter");
        if let Some(own) = own {
            stage.done("user:a", cap(own, false));
        }
        let sale = |price, per| Sale { price, per, currency: String::new(), meter: None };
        let sales = [sale(4, 1), sale(3, 2)];
        let raised = own.filter(|own| 150 < *own);
        let caps = [100, 50].map(|cap| raised.unwrap_or(cap));
        let mut used = [0_u64; 2];
        for (which, units) in asks {
            let command = consume(["articles", "try_on"][which], units);
            let before = used[which];
            let beyond = |used: u64| used.saturating_sub(LIMIT);
            let mut next = used;
            next[which] += units;
            let money: Vec<u64> = (0..2).map(|at| sales[at].owed(beyond(next[at]))).collect();
            let fits = money[which] <= caps[which] && own.is_none_or(|own| money.iter().sum::<u64>() <= own);
            // Within the allowance nothing is sold.
            let is_free = next[which] <= LIMIT;
            let outcome = stage.run("user:a", command).expect("an outcome");
            let is_allowed = outcome.operation.answer.is_allowed();
            prop_assert_eq!(is_allowed, fits || is_free, "{} of {:?} after {}", units, own, before);
            if is_allowed {
                used = next;
            }
            let total: u64 = (0..2).map(|at| sales[at].owed(beyond(used[at]))).sum();
            prop_assert_eq!(owed(&stage, "user:a"), total);
        }
        prop_assert_eq!(audit(&stage.records()), []);
    }
}
