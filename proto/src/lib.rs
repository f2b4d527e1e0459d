//! The gRPC API of planledger, generated from `proto/planledger/v1/*.proto`: messages, clients,
//! server traits. The .proto files are the reference and say what every field means; this crate
//! holds no rules.

/// Package `planledger.v1`.
#[allow(
    clippy::all,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    rustdoc::all
)]
pub mod v1 {
    tonic::include_proto!("planledger.v1");
}

/// The compiled .proto files with their imports and comments, a `google.protobuf.FileDescriptorSet`:
/// what the reflection service answers from.
pub const FILE_DESCRIPTOR_SET: &[u8] = tonic::include_file_descriptor_set!("planledger.v1");
