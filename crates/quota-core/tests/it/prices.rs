//! What a catalog says of a provider's prices, of packs, and of payments that are late (P8, P12, S11, S14).

use quota_core::amount::Amount;
use quota_core::catalog::{Catalog, CatalogFile, InvalidCatalog};
use quota_core::ids::{PriceId, ProviderCode};

const SHOP: &str = r#"
[[feature]]
code = "images"
name = "Images"
unit = "image"
kind = "consumable"
cadence = "monthly"
credit_cost = 1

[[feature]]
code = "sso"
name = "Single sign-on"
kind = "flag"

[[plan]]
code = "pro"
name = "Pro"
price = 900
limits = { images = 10, sso = true }
provider_prices = { stripe = ["price_month", "price_year", "price_old"] }
renewal = "when_paid"
overdue = { images = "read_only", sso = "blocked" }

[[plan]]
code = "free"
name = "Free"

[[plan]]
code = "more"
name = "More"
kind = "addon"
price = 100
limits = { images = 5 }
provider_prices = { stripe = ["price_more"], paddle = ["price_month"] }

[[pack]]
code = "credits_50"
name = "50 credits"
credits = 50
price = 500
currency = "eur"
days = 365
priority = 1
provider_prices = { stripe = ["price_pack"] }

[[pack]]
code = "images_5"
name = "5 images for a week"
boost = { feature = "images", amount = 5, days = 7 }
price = 300
provider_prices = { stripe = ["price_images"] }
"#;

fn applied(before: &Catalog, text: &str) -> Result<Catalog, InvalidCatalog> {
    let file: CatalogFile = toml::from_str(text).expect("it is read");
    before.applied(&file)
}

/// P8 and P12: a price at a provider stands for one plan or pack, whichever of its prices it is.
#[test]
fn a_price_stands_for_a_plan_or_a_pack() {
    let catalog = applied(&Catalog::default(), SHOP).expect("valid");
    let plan_of = |provider: &str, price: &str| {
        let provider = ProviderCode::new(provider).expect("a literal code");
        let price = PriceId::new(price).expect("a literal id");
        let plan = catalog.plan_of_price(&provider, &price);
        let pack = catalog.pack_of_price(&provider, &price);
        let plan = plan.map(|plan| plan.code.to_string());
        plan.or(pack.map(|pack| pack.code.to_string()))
    };
    for (provider, price, wanted) in [
        ("stripe", "price_month", Some("pro")),
        ("stripe", "price_old", Some("pro")),
        ("paddle", "price_month", Some("more")),
        ("stripe", "price_pack", Some("credits_50")),
        ("paddle", "price_pack", None),
        ("stripe", "price_none", None),
    ] {
        assert_eq!(plan_of(provider, price).as_deref(), wanted, "{price}");
    }
}

/// P8: a pack that is sold no more is known still: what was ordered of it may be paid yet.
#[test]
fn a_pack_that_is_left_out_is_known_still() {
    let first = applied(&Catalog::default(), SHOP).expect("valid");
    let (without, _) = SHOP.split_once("[[pack]]").expect("a pack");
    let second = applied(&first, without).expect("valid");
    assert!(second.packs.is_empty());
    let provider = ProviderCode::new("stripe").expect("a literal code");
    let price = PriceId::new("price_pack").expect("a literal id");
    let pack = second
        .pack_of_price(&provider, &price)
        .expect("it was sold");
    assert_eq!(pack.credits.map(Amount::get), Some(50));
    let third = applied(&second, SHOP).expect("valid");
    assert!(third.former_packs.is_empty());
}

const TWICE: &str = "provider_prices = { stripe = [\"price_old\"] }";

/// What is changed in the file to what, and which entry and field are wrong then.
const WRONG: [(&str, &str, &str, &str); 18] = [
    ("credits = 50\n", "", "pack `credits_50`", "credits"),
    (
        "credits = 50\n",
        "credits = 50\nboost = { feature = \"images\", amount = 1 }\n",
        "pack `credits_50`",
        "boost",
    ),
    (
        "price = 300",
        "price = 300\ndays = 7",
        "pack `images_5`",
        "days",
    ),
    (
        "price = 300",
        "price = 300\npriority = 1",
        "pack `images_5`",
        "priority",
    ),
    (
        "feature = \"images\", amount",
        "feature = \"sso\", amount",
        "pack `images_5`",
        "boost",
    ),
    (
        "feature = \"images\", amount",
        "feature = \"nope\", amount",
        "pack `images_5`",
        "boost",
    ),
    ("days = 7", "days = 36501", "pack `images_5`", "boost"),
    (
        "credit_cost = 1",
        "credit_cost = 1\nscale = 1000000000000000",
        "pack `images_5`",
        "boost",
    ),
    (
        "provider_prices = { stripe = [\"price_pack\"] }",
        TWICE,
        "pack `credits_50`",
        "provider_prices",
    ),
    (
        "\"price_year\", ",
        "\"price_month\", ",
        "plan `pro`",
        "provider_prices",
    ),
    (
        "stripe = [\"price_more\"]",
        "stripe = []",
        "plan `more`",
        "provider_prices",
    ),
    ("days = 365", "days = 0", "pack `credits_50`", "days"),
    (
        "currency = \"eur\"",
        "currency = \"Euro\"",
        "pack `credits_50`",
        "currency",
    ),
    (
        "price = 500",
        "price = 1000000000000001",
        "pack `credits_50`",
        "price",
    ),
    (
        "sso = \"blocked\"",
        "sso = \"read_only\"",
        "plan `pro`",
        "overdue",
    ),
    (
        "limits = { images = 10, sso = true }",
        "limits = { sso = true }",
        "plan `pro`",
        "overdue",
    ),
    (
        "name = \"Free\"",
        "name = \"Free\"\nrenewal = \"when_paid\"",
        "plan `free`",
        "renewal",
    ),
    (
        "kind = \"addon\"",
        "kind = \"addon\"\noverdue = { images = \"full\" }",
        "plan `more`",
        "overdue",
    ),
];

/// P12 and S14: what a file may not say, with the entry and the field.
#[test]
fn what_a_file_may_not_say_of_payments_names_its_entry_and_field() {
    for (from, to, entry, field) in WRONG {
        assert!(SHOP.contains(from), "{from}");
        let text = SHOP.replace(from, to);
        let refused = applied(&Catalog::default(), &text).expect_err(to);
        assert_eq!(
            (
                refused.mistakes[0].entry.as_str(),
                refused.mistakes[0].field
            ),
            (entry, field),
            "{refused}"
        );
    }
    let stands_twice =
        format!("{SHOP}\n[[pack]]\ncode = \"credits_50\"\nname = \"x\"\ncredits = 1\nprice = 1\n");
    let refused = applied(&Catalog::default(), &stands_twice).expect_err("twice");
    assert_eq!(
        (
            refused.mistakes[0].entry.as_str(),
            refused.mistakes[0].field
        ),
        ("pack `credits_50`", "code")
    );
}
