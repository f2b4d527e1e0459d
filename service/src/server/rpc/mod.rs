//! The services of the API. Each file implements one of them: it lets `wire` read the request, asks
//! the ledger through the files beside this folder, and lets `wire` write the answer. No file here
//! names the library's types.

mod access;
mod audit;
mod catalogue;
mod commands;
mod events;
mod ledger;
mod overview;
mod ownership;
mod plans;
mod previewing;
mod roster;

use std::collections::HashSet;

use planledger_proto::FILE_DESCRIPTOR_SET;
use planledger_proto::v1::access_service_server::AccessServiceServer;
use planledger_proto::v1::audit_service_server::AuditServiceServer;
use planledger_proto::v1::catalogue_service_server::CatalogueServiceServer;
use planledger_proto::v1::command_service_server::CommandServiceServer;
use planledger_proto::v1::event_service_server::EventServiceServer;
use planledger_proto::v1::ledger_service_server::LedgerServiceServer;
use planledger_proto::v1::overview_service_server::OverviewServiceServer;
use planledger_proto::v1::ownership_service_server::OwnershipServiceServer;
use planledger_proto::v1::plan_service_server::PlanServiceServer;
use planledger_proto::v1::roster_service_server::RosterServiceServer;
use prost::Message;
use prost_types::FileDescriptorSet;
use tonic::service::Routes;

pub use self::commands::WINDOW as COMMANDS_OF_A_STREAM;
use super::api::Api;
use super::limits::Limits;

/// All services of the API, and reflection, which describes them.
pub(super) fn services(api: &Api, limits: Limits) -> Routes {
    macro_rules! limited {
        ($service:ident) => {
            $service::new(api.clone())
                .max_decoding_message_size(limits.request_bytes)
                .max_encoding_message_size(limits.answer_bytes)
        };
    }
    let mut services = Routes::builder();
    // Clients use both versions of reflection. It is left out if its description cannot be read.
    if let Ok(reflection) = reflection().build_v1() {
        services.add_service(reflection);
    }
    if let Ok(reflection) = reflection().build_v1alpha() {
        services.add_service(reflection);
    }
    services
        .add_service(limited!(CommandServiceServer))
        .add_service(limited!(PlanServiceServer))
        .add_service(limited!(RosterServiceServer))
        .add_service(limited!(CatalogueServiceServer))
        .add_service(limited!(EventServiceServer))
        .add_service(limited!(AuditServiceServer))
        .add_service(limited!(OverviewServiceServer))
        .add_service(limited!(OwnershipServiceServer))
        .add_service(limited!(LedgerServiceServer))
        .add_service(limited!(AccessServiceServer));
    services.routes()
}

/// The methods that answer with a stream, as paths: `/planledger.v1.EventService/FollowEvents`.
pub(super) fn streaming() -> HashSet<String> {
    let mut found = HashSet::new();
    for described in [FILE_DESCRIPTOR_SET, tonic_health::pb::FILE_DESCRIPTOR_SET] {
        // Both were made together with the code; the tests of the server see to it that they are read.
        let Ok(set) = FileDescriptorSet::decode(described) else {
            continue;
        };
        for file in &set.file {
            for service in &file.service {
                let streaming = service.method.iter().filter(|it| it.server_streaming());
                let path = |name: &str| format!("/{}.{}/{name}", file.package(), service.name());
                found.extend(streaming.map(|method| path(method.name())));
            }
        }
    }
    found
}

/// The reflection service, which describes the server's services.
fn reflection() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}
