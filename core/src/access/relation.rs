/// How somebody stands to the thing that an action is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// None is needed: the person is known to the ledger and has not left, or a grant holds somewhere.
    Known,
    /// The thing is about the person: the person, or the plan of the student.
    Oneself,
    /// The person is a member of the team that the thing belongs to.
    Member,
    /// The person is a guardian of the student that the thing is about, or of a member of its team,
    /// and the guardianship has not ended.
    Child,
    /// The person is on the staff of the thing's team, or of a team that the student is a member of.
    Team,
    /// The person owns the thing, or the year plan that it belongs to.
    Owner,
    /// The person works at the institution that the thing belongs to.
    Workplace,
    /// A grant covers the thing.
    Granted,
    /// A grant covers the thing, and the system acts on behalf of a person, who needs the right too.
    OnBehalf,
}

impl Relation {
    /// Every relation.
    pub const ALL: [Self; 9] = [
        Self::Known,
        Self::Oneself,
        Self::Member,
        Self::Child,
        Self::Team,
        Self::Owner,
        Self::Workplace,
        Self::Granted,
        Self::OnBehalf,
    ];

    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Oneself => "oneself",
            Self::Member => "member",
            Self::Child => "child",
            Self::Team => "team",
            Self::Owner => "owner",
            Self::Workplace => "workplace",
            Self::Granted => "granted",
            Self::OnBehalf => "on_behalf",
        }
    }
}
