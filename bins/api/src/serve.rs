//! `api serve`: bind, answer, and on SIGTERM answer what was taken.

use std::future::IntoFuture as _;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::serve::ListenerExt as _;
use http_api::{ApiSettings, ApiState, describe_metrics, service};
use jobs::Runner;
use runtime::{Metrics, Readiness, StartError, StopSignal};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::args::{Jobs, ServeArgs};
use crate::command_error::CommandError;
use crate::demo;
use crate::wiring::{Wired, wire};

/// Serves until SIGTERM or Ctrl-C.
pub(crate) async fn serve(args: &ServeArgs) -> Result<(), CommandError> {
    let stop = StopSignal::listen()?;
    let address = args.http.listen;
    // Before anything is changed: a second process on the same address changes nothing.
    let listener = TcpListener::bind(address).await;
    let listener = listener.map_err(|cause| StartError::Listen { address, cause })?;
    let bound = listener.local_addr().unwrap_or(address);
    let page = args.metrics.bind().await?;
    let metrics = Metrics::install()?;
    describe_metrics();
    let (database, cache) = args.places();
    let wired = wire(
        &database,
        &cache,
        args.engine_settings(),
        Some(&args.provider),
    )
    .await?;
    let readiness = wired.readiness();
    page.serve(metrics.clone(), readiness.clone());
    let demo_key = if args.demo {
        Some(demo::fill_with_key(&wired.engine).await?)
    } else {
        None
    };
    let runner = runner(args, &wired);
    let scheduled = schedule(args.http.jobs, &wired, &runner, stop.clone());
    let api_settings = ApiSettings {
        body_bytes_max: usize::try_from(args.http.body_bytes_max).unwrap_or(usize::MAX),
        requests_max: usize::try_from(args.http.requests_max).unwrap_or(usize::MAX),
        request_timeout: args.http.request_timeout,
        metrics_open: args.http.metrics_open,
        metrics: Some(Arc::new(move || metrics.render())),
        schema: wired.schema_check(),
        provider: wired.provider.clone(),
        codes: Some(wired.codes.clone()),
    };
    let state = ApiState::new(wired.engine.clone(), Some(runner.clone()), api_settings);
    announce(&format!("http://{bound}"), demo_key.as_deref());
    let drained = drained(stop, state.clone(), readiness, args.drain_time());
    let outcome = answer(listener, state, args.http.stop_timeout, drained).await;
    // Whatever became of the server, what the engine took is answered and written.
    runner.stop().await;
    if let Some(task) = scheduled {
        // It ends with the runner.
        drop(task.await);
    }
    wired.stop().await;
    tracing::info!("stopped");
    outcome
}

/// Waits for the signal to stop. Then says that this node is not ready, and goes on taking requests until the load
/// balancer has had time to notice.
async fn drained(stop: StopSignal, state: ApiState, readiness: Readiness, drain_time: Duration) {
    stop.clone().wait().await;
    state.drain();
    readiness.drain();
    if !drain_time.is_zero() {
        tracing::info!(
            ?drain_time,
            "draining: not ready any more, requests are still taken"
        );
        tokio::select! {
            () = tokio::time::sleep(drain_time) => {}
            () = stop.wait_at_once() => {}
        }
    }
}

/// Answers until `drained`, and then what was taken, for no longer than `stop_timeout`.
async fn answer(
    listener: TcpListener,
    state: ApiState,
    stop_timeout: Duration,
    drained: impl Future<Output = ()> + Send + 'static,
) -> Result<(), CommandError> {
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection stays slow");
        }
    });
    let (stopping, mut stopped) = watch::channel(false);
    let routes = axum::ServiceExt::<Request>::into_make_service(service(state));
    let server = axum::serve(listener, routes).with_graceful_shutdown(async move {
        drained.await;
        stopping.send_replace(true);
        tracing::info!("stopping: no more connections, what was taken is answered");
    });
    let mut server = tokio::spawn(server.into_future());
    let overdue = async {
        drop(stopped.wait_for(|is_stopping| *is_stopping).await);
        tokio::time::sleep(stop_timeout).await;
    };
    tokio::select! {
        ended = &mut server => match ended {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(CommandError::Server(error)),
            Err(error) => Err(CommandError::Server(std::io::Error::other(error))),
        },
        () = overdue => {
            tracing::warn!("some connections did not end in time and are cut");
            server.abort();
            Ok(())
        }
    }
}

fn runner(args: &ServeArgs, wired: &Wired) -> Runner {
    let owner = format!("api-{}", wired.engine.next_id());
    let events = Arc::clone(&wired.events);
    let settings = args.job.settings(&args.schedules);
    let billing = wired
        .provider
        .as_ref()
        .map(|provider| provider.billing.clone());
    Runner::new(wired.engine.clone(), events, settings, owner).with_billing(billing)
}

fn schedule(
    jobs: Jobs,
    wired: &Wired,
    runner: &Runner,
    stop: StopSignal,
) -> Option<JoinHandle<()>> {
    let is_wanted = match jobs {
        Jobs::Auto => wired.is_embedded(),
        Jobs::On => true,
        Jobs::Off => false,
    };
    let runner = runner.clone();
    is_wanted.then(|| tokio::spawn(async move { runner.run_scheduled(stop.wait()).await }))
}

/// Says where it listens; with demo data also what to paste first.
fn announce(address: &str, demo_key: Option<&str>) {
    tracing::info!(address, "listening");
    let place = format!("listening on {address}  (docs: {address}/docs/)\n");
    let sample = demo_key.map(|key| {
        format!(
            "admin key, shown once: {key}\ntry it:\n  curl -s {address}/v1/consume \
             -H 'Authorization: Bearer {key}' -H 'content-type: application/json' \
             -d '{{\"user\":\"alice\",\"feature\":\"articles_per_month\",\"amount\":1}}'\n"
        )
    });
    let text = place + &sample.unwrap_or_default();
    // It serves all the same when nobody can read this.
    if let Err(error) = runtime::print(&text) {
        tracing::debug!(%error, "the address was not printed");
    }
}
