//! `api serve`: bind, answer, and on SIGTERM answer what was taken.

use std::future::IntoFuture as _;
use std::io::Write as _;
use std::sync::Arc;

use axum::extract::Request;
use axum::serve::ListenerExt as _;
use http_api::{ApiSettings, ApiState, install_metrics, service};
use jobs::{JobSettings, Runner};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::args::{Jobs, Settings};
use crate::demo;
use crate::job_control::RunnerControl;
use crate::start_error::StartError;
use crate::wiring::{Wired, wire};

/// How often the metrics drop what they need no more.
const METRICS_UPKEEP_EVERY: std::time::Duration = std::time::Duration::from_secs(5);

/// Serves until SIGTERM or Ctrl-C.
pub(crate) async fn serve(settings: &Settings, is_demo: bool) -> Result<(), StartError> {
    // Heard from here on: a signal during the start is not lost.
    let stop = stop_signal()?;
    let metrics = install_metrics().map_err(|error| StartError::Metrics(error.to_string()))?;
    let upkeep = metrics.clone();
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(METRICS_UPKEEP_EVERY);
        loop {
            tick.tick().await;
            upkeep.run_upkeep();
        }
    });
    let wired = wire(settings).await?;
    let demo_key = if is_demo {
        Some(demo::fill_with_key(&wired.engine).await?)
    } else {
        None
    };
    let runner = runner(&wired);
    let scheduled = schedule(settings, &wired, &runner, stop.clone());
    let api_settings = ApiSettings {
        body_bytes_max: usize::try_from(settings.body_bytes_max).unwrap_or(usize::MAX),
        requests_max: usize::try_from(settings.requests_max).unwrap_or(usize::MAX),
        request_timeout: settings.request_timeout,
        metrics_open: settings.metrics_open,
        metrics: Some(metrics),
        schema: wired.schema_check(),
    };
    let control = Arc::new(RunnerControl(runner.clone()));
    let state = ApiState::new(wired.engine.clone(), Some(control), api_settings);
    let address = settings.listen;
    let listener = TcpListener::bind(address).await;
    let listener = listener.map_err(|cause| StartError::Listen { address, cause })?;
    let bound = listener.local_addr().unwrap_or(address);
    announce(&format!("http://{bound}"), demo_key.as_deref());
    let outcome = answer(listener, state, settings, stop).await;
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

/// Answers until told to stop, and then what was taken, for no longer than the settings say.
async fn answer(
    listener: TcpListener,
    state: ApiState,
    settings: &Settings,
    mut stop: watch::Receiver<bool>,
) -> Result<(), StartError> {
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection stays slow");
        }
    });
    let mut told = stop.clone();
    let routes = axum::ServiceExt::<Request>::into_make_service(service(state));
    let server = axum::serve(listener, routes).with_graceful_shutdown(async move {
        // Without its sender nobody can tell any more: stop.
        drop(told.wait_for(|is_told| *is_told).await);
        tracing::info!("stopping: no more connections, what was taken is answered");
    });
    let mut server = tokio::spawn(server.into_future());
    let overdue = async {
        drop(stop.wait_for(|is_told| *is_told).await);
        tokio::time::sleep(settings.stop_timeout).await;
    };
    tokio::select! {
        ended = &mut server => match ended {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(StartError::Server(error)),
            Err(error) => Err(StartError::Server(std::io::Error::other(error))),
        },
        () = overdue => {
            tracing::warn!("some connections did not end in time and are cut");
            server.abort();
            Ok(())
        }
    }
}

/// True from the first SIGTERM or Ctrl-C on.
fn stop_signal() -> Result<watch::Receiver<bool>, StartError> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).map_err(StartError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(StartError::Signals)?;
    let (tell, told) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tell.send_replace(true);
        // Kept, so that whoever listens later hears it too.
        std::future::pending::<()>().await;
    });
    Ok(told)
}

fn runner(wired: &Wired) -> Runner {
    let owner = format!("api-{}", wired.engine.next_id());
    let events = Arc::clone(&wired.events);
    Runner::new(wired.engine.clone(), events, JobSettings::default(), owner)
}

fn schedule(
    settings: &Settings,
    wired: &Wired,
    runner: &Runner,
    mut stop: watch::Receiver<bool>,
) -> Option<JoinHandle<()>> {
    let is_wanted = match settings.jobs {
        Jobs::Auto => wired.is_embedded,
        Jobs::On => true,
        Jobs::Off => false,
    };
    let runner = runner.clone();
    is_wanted.then(|| {
        tokio::spawn(async move {
            let stopped = async move { drop(stop.wait_for(|is_told| *is_told).await) };
            runner.run_scheduled(stopped).await;
        })
    })
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
    // Whoever started it may not read it: it serves all the same.
    let mut out = std::io::stdout().lock();
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        tracing::debug!(%error, "nobody reads the address");
    }
}
