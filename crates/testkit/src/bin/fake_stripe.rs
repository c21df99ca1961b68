//! A fake Stripe to try things by hand: `fake_stripe --listen 127.0.0.1:8430 --webhook http://127.0.0.1:8080/v1/webhooks/stripe
//! --secret whsec_test1`. Its clock runs with the machine's; `/_fake/` is a page.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;
use testkit::fake_stripe::{Endpoint, FakeStripe, SetPrice, Shape, SignedBy};

/// A Stripe on this machine, where no money moves.
#[derive(Debug, Parser)]
struct Args {
    /// Where it listens
    #[arg(long, default_value = "127.0.0.1:8430")]
    listen: SocketAddr,
    /// Where webhooks go
    #[arg(long)]
    webhook: Option<String>,
    /// What they are signed with
    #[arg(long, default_value = "whsec_test1")]
    secret: String,
    /// Webhooks with ids only
    #[arg(long)]
    thin: bool,
    /// Everything in the shape of before 2025-03-31
    #[arg(long)]
    old: bool,
    /// A price that is there from the start: `pack_small=900`, or `pro_month=2900/month`
    #[arg(long = "price", value_parser = price)]
    prices: Vec<(String, i64, Option<String>)>,
}

/// `pro_month=2900/month`.
fn price(text: &str) -> Result<(String, i64, Option<String>), String> {
    let wrong = || format!("`{text}` is not like pack_small=900 or pro_month=2900/month");
    let (id, rest) = text.split_once('=').ok_or_else(wrong)?;
    let (amount, interval) = match rest.split_once('/') {
        Some((amount, interval)) => (amount, Some(interval.to_owned())),
        None => (rest, None),
    };
    let amount = amount.parse().map_err(|_| wrong())?;
    Ok((id.to_owned(), amount, interval))
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    let fake = FakeStripe::start_on(args.listen).await;
    if args.old {
        fake.answer_in(Some(Shape::Old));
    }
    if let Some(url) = &args.webhook {
        let mut endpoint = Endpoint::new(url, &args.secret);
        endpoint.signed_by = SignedBy::MachineClock;
        endpoint.is_thin = args.thin;
        if args.old {
            endpoint.shape = Shape::Old;
        }
        fake.endpoint(endpoint);
    }
    for (id, amount, interval) in &args.prices {
        fake.price(&SetPrice {
            id,
            amount: *amount,
            currency: "eur",
            interval: interval.as_deref(),
        });
    }
    fake.drop_pending();
    println!(
        "fake Stripe at {}, page at {}/_fake/",
        fake.url(),
        fake.url()
    );
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    loop {
        tick.tick().await;
        fake.advance(1);
        fake.deliver_pending().await;
    }
}
