//! A catalog file that is put on sale.

use billing_stripe::Mode;
use billing_stripe::provider::{SaleStep, Stripe, code};
use quota_core::catalog::CatalogFile;
use quota_core::ports::PaymentProvider as _;
use testkit::fake_stripe::{Card, FakeStripe};

use crate::{client, customer_ref};

const FILE: &str = r#"
[[feature]]
code = "requests"
name = "Requests"
unit = "request"
kind = "consumable"
cadence = "monthly"
credit_cost = 1

[[plan]]
code = "free"
name = "Free"
limits = { requests = 10 }

[[plan]]
code = "pro"
name = "Pro"
price = 2900
limits = { requests = 1000 }

[[pack]]
code = "small"
name = "Small"
credits = 500
price = 900
"#;

fn file(text: &str) -> CatalogFile {
    toml::from_str(text).expect("a file")
}

fn told(steps: &[SaleStep]) -> Vec<String> {
    steps.iter().map(ToString::to_string).collect()
}

/// What has a price and none at Stripe is made, once; what is free is not sold.
#[tokio::test]
async fn what_a_file_sells_is_made_once_and_dry_not_at_all() {
    let fake = FakeStripe::start().await;
    let stripe = Stripe::new(client(&fake), Mode::Test);
    let dry = stripe.put_on_sale(&file(FILE), true).await.expect("looks");
    let wanted = [
        "+ product of plan pro",
        "+ price of plan pro: quota:plan:pro:usd:2900:month",
        "+ product of pack small",
        "+ price of pack small: quota:pack:small:usd:900",
        "~ portal: upgrades begin a period, downgrades wait for its end",
    ];
    assert_eq!(told(&dry.steps), wanted);
    assert_eq!(dry.file, file(FILE));
    let first = stripe.put_on_sale(&file(FILE), false).await.expect("sells");
    assert_eq!(told(&first.steps), wanted);
    let again = stripe.put_on_sale(&file(FILE), false).await.expect("looks");
    assert_eq!(again.file, first.file);
    assert_eq!(told(&again.steps), Vec::<String>::new());
    let prices = |at: usize| first.file.plans[at].provider_prices.get(&code()).cloned();
    assert_eq!(prices(0), None);
    assert_eq!(prices(1).map(|all| all.len()), Some(1));
}

/// Whoever pays the old price keeps the plan: it stands behind the new one.
#[tokio::test]
async fn a_new_price_stands_before_the_one_that_it_follows() {
    let fake = FakeStripe::start().await;
    let stripe = Stripe::new(client(&fake), Mode::Test);
    let old = stripe.put_on_sale(&file(FILE), false).await.expect("sells");
    let dearer = file(&FILE.replace("price = 2900", "price = 3900"));
    let new = stripe.put_on_sale(&dearer, false).await.expect("sells");
    let steps = told(&new.steps);
    assert_eq!(
        steps[0], "+ price of plan pro: quota:plan:pro:usd:3900:month",
        "{steps:?}"
    );
    let prices = |file: &CatalogFile| file.plans[1].provider_prices[&code()].clone();
    let (old, new) = (prices(&old.file), prices(&new.file));
    assert_eq!(new.len(), 2);
    assert_eq!(new[1], old[0]);
}

#[tokio::test]
async fn a_price_that_is_named_and_not_there_is_told() {
    let fake = FakeStripe::start().await;
    let stripe = Stripe::new(client(&fake), Mode::Test);
    let named = "price = 2900\nprovider_prices = { stripe = [\"price_gone\"] }";
    let named = file(&FILE.replace("price = 2900", named));
    let sale = stripe.put_on_sale(&named, true).await.expect("looks");
    let steps = told(&sale.steps);
    let missing = "! plan pro names the price `price_gone`, which Stripe does not have";
    assert!(steps.iter().any(|step| step == missing), "{steps:?}");
}

/// The portal that customers are sent to is the one that the file set up.
#[tokio::test]
async fn the_portal_is_ours_once_it_is_set_up() {
    let fake = FakeStripe::start().await;
    let stripe = Stripe::new(client(&fake), Mode::Test);
    let customer = customer_ref(&fake.customer(Card::Good));
    stripe.put_on_sale(&file(FILE), false).await.expect("sells");
    let url = stripe.portal(&customer, "https://app.example/").await;
    url.expect("a link");
    let used = fake.calls();
    assert!(format!("{used:?}").contains("portal"), "{used:?}");
}

/// P21: a meter that a plan names and that is not active at Stripe is told of, and nothing is made of it.
#[tokio::test]
async fn a_meter_that_is_not_there_is_told() {
    let fake = FakeStripe::start().await;
    let stripe = Stripe::new(client(&fake), Mode::Test);
    let sold = "limits = { requests = 1000 }\non_demand = { requests = { price = 1, cap = 100, meter = \"requests_used\" } }";
    let named = file(&FILE.replace("limits = { requests = 1000 }", sold));
    let missing =
        "! plan pro names the meter `requests_used`, which is not active at Stripe".to_owned();
    let dry = stripe.put_on_sale(&named, true).await.expect("looks");
    assert!(told(&dry.steps).contains(&missing), "{:?}", dry.steps);
    fake.meter("requests_used");
    let there = stripe.put_on_sale(&named, true).await.expect("looks");
    assert!(!told(&there.steps).contains(&missing), "{:?}", there.steps);
    fake.set_meter_active("requests_used", false);
    let gone = stripe.put_on_sale(&named, true).await.expect("looks");
    assert!(told(&gone.steps).contains(&missing), "{:?}", gone.steps);
}
