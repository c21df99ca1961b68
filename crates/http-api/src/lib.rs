//! The HTTP side of the engine: routes, problems, keys, metrics. Knows use cases; no store, no binary.

mod body;
mod caller;
mod catalog_file;
mod decision;
mod document;
mod edge;
mod front;
mod json_text;
mod meters;
mod newest_page;
mod note;
mod offers;
mod outage;
mod params;
mod problem;
mod ratelimit;
mod reason;
mod refusal;
mod router;
mod routes;
mod shape;
mod state;
mod submit;
mod unread;
mod words;

pub use catalog_file::{
    FileFault, place_in_json, places_in_toml, read_catalog_json, read_catalog_toml,
};
pub use front::Front;
pub use json_text::{JsonFault, read_json_text};
pub use meters::describe_metrics;
pub use problem::Problem;
pub use router::{openapi, service};
pub use state::{
    ApiSettings, ApiState, ConnectedProvider, RenderMetrics, SchemaCheck, SchemaReport,
};
