//! The server describes itself, so that a client needs no .proto files.

use std::collections::BTreeSet;

use prost::Message;
use prost_types::FileDescriptorProto;

use crate::support::*;

macro_rules! described {
    ($version:ident, $test:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
        async fn $test() {
            use tonic_reflection::pb::$version::ServerReflectionRequest;
            use tonic_reflection::pb::$version::server_reflection_client::ServerReflectionClient;
            use tonic_reflection::pb::$version::server_reflection_request::MessageRequest as Asked;
            use tonic_reflection::pb::$version::server_reflection_response::MessageResponse as Said;

            let server = Home::new().start();
            let mut client = ServerReflectionClient::new(server.channel().await);
            let questions = [
                Asked::ListServices(String::new()),
                Asked::FileContainingSymbol("planledger.v1.CommandService".to_owned()),
                Asked::FileContainingSymbol("planledger.v1.PlanCommand".to_owned()),
                Asked::FileByFilename("planledger/v1/error.proto".to_owned()),
                Asked::FileContainingSymbol("planledger.v1.NoSuchThing".to_owned()),
            ];
            let requests = questions.map(|asked| ServerReflectionRequest {
                host: String::new(),
                message_request: Some(asked),
            });
            let call = client
                .server_reflection_info(tokio_stream::iter(requests))
                .await;
            let mut answers = call.unwrap().into_inner();
            let mut said = Vec::new();
            // The last question may end the stream with its answer or as an error of its own.
            while let Ok(Some(answer)) = next(&mut answers).await {
                said.push(answer.message_response.unwrap());
            }
            let Said::ListServicesResponse(list) = &said[0] else {
                panic!("{:?}", said[0])
            };
            let services: BTreeSet<_> = list.service.iter().map(|it| it.name.as_str()).collect();
            for service in [
                "planledger.v1.CommandService",
                "planledger.v1.PlanService",
                "planledger.v1.RosterService",
                "planledger.v1.CatalogueService",
                "planledger.v1.EventService",
                "planledger.v1.LedgerService",
                "grpc.health.v1.Health",
            ] {
                assert!(services.contains(service), "{service}: {services:?}");
            }
            let names: Vec<_> = said[1..4]
                .iter()
                .map(|said| match said {
                    Said::FileDescriptorResponse(found) => {
                        let file = found.file_descriptor_proto[0].as_slice();
                        FileDescriptorProto::decode(file).unwrap().name.unwrap()
                    }
                    other => panic!("{other:?}"),
                })
                .collect();
            let expected = ["command_service", "plan", "error"];
            assert_eq!(
                names,
                expected.map(|name| format!("planledger/v1/{name}.proto"))
            );
            assert!(!matches!(
                said.get(4),
                Some(Said::FileDescriptorResponse(_))
            ));
        }
    };
}

described!(
    v1,
    version_1_of_reflection_lists_services_and_gives_their_files
);
described!(v1alpha, the_older_version_of_reflection_does_so_too);
