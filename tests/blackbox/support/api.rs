//! Every method that answers once, by its request.

use planledger::client::Client;
use planledger_proto::v1::*;
use prost::Name;
use tonic::Status;

/// A request, and how it is sent.
pub(crate) trait Ask: Name + Default + Clone + Send {
    /// What answers it.
    type Answer: Send;

    /// The message that the paths of its fields begin in.
    fn root() -> String {
        Self::full_name()
    }

    /// Sends it.
    fn send(self, client: &Client) -> impl Future<Output = Result<Self::Answer, Status>> + Send;
}

macro_rules! methods {
    ($($service:ident.$method:ident: $request:ident => $answer:ident $(in $root:ident)?;)*) => {
        $(impl Ask for $request {
            type Answer = $answer;

            $(fn root() -> String {
                $root::full_name()
            })?

            async fn send(self, client: &Client) -> Result<$answer, Status> {
                Ok(client.$service().$method(self).await?.into_inner())
            }
        })*

        /// Calls each method with an empty request, which is a fault of the caller everywhere but
        /// in lists of everything.
        pub(crate) const METHODS: &[(&str, Call)] = &[
            $((stringify!($method), |client| Box::pin(async move {
                $request::default().send(&client).await.map(drop)
            }))),*
        ];
    };
}

/// A call of some method.
pub(crate) type Call =
    fn(Client) -> std::pin::Pin<Box<dyn Future<Output = Result<(), Status>> + Send>>;

methods! {
    commands.execute: ExecuteRequest => ExecuteResponse in Command;
    commands.execute_batch: ExecuteBatchRequest => ExecuteBatchResponse;
    commands.revert_plan: RevertPlanRequest => RevertPlanResponse;
    plans.get_plan: GetPlanRequest => GetPlanResponse;
    plans.list_plans: ListPlansRequest => ListPlansResponse;
    plans.get_plan_history: GetPlanHistoryRequest => GetPlanHistoryResponse;
    plans.get_collected_view: GetCollectedViewRequest => GetCollectedViewResponse;
    plans.diff_plan: DiffPlanRequest => DiffPlanResponse;
    roster.get_institution: GetInstitutionRequest => GetInstitutionResponse;
    roster.list_institutions: ListInstitutionsRequest => ListInstitutionsResponse;
    roster.get_school_year: GetSchoolYearRequest => GetSchoolYearResponse;
    roster.list_school_years: ListSchoolYearsRequest => ListSchoolYearsResponse;
    roster.get_person: GetPersonRequest => GetPersonResponse;
    roster.list_persons: ListPersonsRequest => ListPersonsResponse;
    roster.get_team: GetTeamRequest => GetTeamResponse;
    roster.list_teams: ListTeamsRequest => ListTeamsResponse;
    roster.get_year_plan: GetYearPlanRequest => GetYearPlanResponse;
    roster.list_year_plans: ListYearPlansRequest => ListYearPlansResponse;
    roster.lookup_person: LookupPersonRequest => LookupPersonResponse;
    roster.list_roster_sources: ListRosterSourcesRequest => ListRosterSourcesResponse;
    catalogues.get_catalogue: GetCatalogueRequest => GetCatalogueResponse;
    catalogues.list_catalogues: ListCataloguesRequest => ListCataloguesResponse;
    catalogues.get_catalogue_item: GetCatalogueItemRequest => GetCatalogueItemResponse;
    catalogues.list_catalogue_items: ListCatalogueItemsRequest => ListCatalogueItemsResponse;
    catalogues.list_catalogue_scales: ListCatalogueScalesRequest => ListCatalogueScalesResponse;
    catalogues.list_catalogue_goals: ListCatalogueGoalsRequest => ListCatalogueGoalsResponse;
    overview.get_overview: GetOverviewRequest => GetOverviewResponse;
    overview.get_survey_overview: GetSurveyOverviewRequest => GetSurveyOverviewResponse;
    overview.list_survey_discussions: ListSurveyDiscussionsRequest => ListSurveyDiscussionsResponse;
    ownership.list_owned: ListOwnedRequest => ListOwnedResponse;
    ownership.list_ownerless: ListOwnerlessRequest => ListOwnerlessResponse;
    ownership.list_suggestions: ListSuggestionsRequest => ListSuggestionsResponse;
    ownership.list_successors: ListSuccessorsRequest => ListSuccessorsResponse;
    ownership.preview_deletion: PreviewDeletionRequest => PreviewDeletionResponse;
    ownership.propose_recovery: ProposeRecoveryRequest => ProposeRecoveryResponse;
    ownership.get_recovery: GetRecoveryRequest => GetRecoveryResponse;
    ownership.list_recoveries: ListRecoveriesRequest => ListRecoveriesResponse;
    ledger.get_status: GetStatusRequest => GetStatusResponse;
    access.list_grants: ListGrantsRequest => ListGrantsResponse;
    access.get_system: GetSystemRequest => GetSystemResponse;
    access.list_systems: ListSystemsRequest => ListSystemsResponse;
    access.list_erasures: ListErasuresRequest => ListErasuresResponse;
    access.list_due_erasures: ListDueErasuresRequest => ListDueErasuresResponse;
    access.explain_access: ExplainAccessRequest => ExplainAccessResponse;
    access.review_access: ReviewAccessRequest => ReviewAccessResponse;
    access.list_readers: ListReadersRequest => ListReadersResponse;
    audit.get_verifier_keys: GetVerifierKeysRequest => GetVerifierKeysResponse;
    audit.get_checkpoint: GetCheckpointRequest => GetCheckpointResponse;
    audit.list_checkpoints: ListCheckpointsRequest => ListCheckpointsResponse;
    audit.get_inclusion_proof: GetInclusionProofRequest => GetInclusionProofResponse;
    audit.get_consistency_proof: GetConsistencyProofRequest => GetConsistencyProofResponse;
}
