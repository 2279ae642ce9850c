//! Random histories of secrets and projects against a plain model: what succeeds, what is listed, and whose each yocto is.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};

use super::secrets::{blob, with};
use super::town::{ALICE, BOB, CLIENT, OUTLAYER, Town, yocto};

const PEOPLE: [&str; 3] = [ALICE, BOB, CLIENT];
const NAMES: [&str; 2] = ["app", "a-longer-name"];
const PROFILES: [&str; 2] = ["default", "p"];
const PLENTY: u128 = 10u128.pow(24);

/// Who does what; each number chooses one of a few.
#[derive(Clone, Debug)]
struct Step {
    who: usize,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Store {
        accessor: Access,
        profile: usize,
        length: usize,
        allowed: usize,
        deposit: u128,
    },
    Update {
        accessor: Access,
        profile: usize,
        allowed: usize,
    },
    Delete {
        accessor: Access,
        profile: usize,
    },
    Create {
        name: usize,
        version: usize,
    },
    Add {
        name: usize,
        version: usize,
        set_active: bool,
    },
    Activate {
        name: usize,
        version: usize,
    },
    Remove {
        name: usize,
        version: usize,
    },
    DeleteProject {
        name: usize,
    },
    Transfer {
        name: usize,
        to: usize,
    },
}

#[derive(Clone, Copy, Debug)]
enum Access {
    Repo,
    Branch,
    ProjectOf { owner: usize, name: usize },
    Uuid(u64),
}

/// What the contract should hold.
#[derive(Default)]
struct Model {
    /// By owner, accessor with a project's uuid, and profile.
    secrets: BTreeSet<(usize, String, usize)>,
    /// By owner and name: uuid, versions, the active one.
    projects: BTreeMap<(usize, usize), (u64, BTreeSet<usize>, usize)>,
    created: u64,
}

fn access() -> impl Strategy<Value = Access> {
    prop_oneof![
        1 => Just(Access::Repo),
        1 => Just(Access::Branch),
        3 => (0..3_usize, 0..2_usize).prop_map(|(owner, name)| Access::ProjectOf { owner, name }),
        1 => (0..5_u64).prop_map(Access::Uuid),
    ]
}

fn what() -> impl Strategy<Value = What> {
    let name = 0..2_usize;
    let version = 0..3_usize;
    let deposit = prop_oneof![4 => Just(PLENTY), 1 => 0..PLENTY / 200];
    prop_oneof![
        6 => (access(), 0..2_usize, 61..900_usize, 0..4_usize, deposit).prop_map(
            |(accessor, profile, length, allowed, deposit)| What::Store { accessor, profile, length, allowed, deposit }
        ),
        2 => (access(), 0..2_usize, 0..4_usize)
            .prop_map(|(accessor, profile, allowed)| What::Update { accessor, profile, allowed }),
        3 => (access(), 0..2_usize).prop_map(|(accessor, profile)| What::Delete { accessor, profile }),
        4 => (name.clone(), version.clone()).prop_map(|(name, version)| What::Create { name, version }),
        3 => (name.clone(), version.clone(), any::<bool>())
            .prop_map(|(name, version, set_active)| What::Add { name, version, set_active }),
        1 => (name.clone(), version.clone()).prop_map(|(name, version)| What::Activate { name, version }),
        1 => (name.clone(), version).prop_map(|(name, version)| What::Remove { name, version }),
        1 => name.clone().prop_map(|name| What::DeleteProject { name }),
        3 => (name, 0..3_usize).prop_map(|(name, to)| What::Transfer { name, to }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    (0..3_usize, what()).prop_map(|(who, what)| Step { who, what })
}

impl Access {
    fn json(self) -> Value {
        let project = |id: String| json!({"Project": {"project_id": id}});
        match self {
            Self::Repo => json!({"Repo": {"repo": "acme/ark"}}),
            Self::Branch => {
                json!({"Repo": {"repo": "https://github.com/acme/ark", "branch": "main"}})
            }
            Self::ProjectOf { owner, name } => {
                project(format!("{}/{}", PEOPLE[owner], NAMES[name]))
            }
            Self::Uuid(uuid) => project(format!("p{uuid:016x}")),
        }
    }
}

/// Conditions of several sizes.
fn condition(allowed: usize) -> Value {
    match allowed {
        0 => json!("AllowAll"),
        _ => json!({"Whitelist": {"accounts": &PEOPLE[..allowed]}}),
    }
}

fn source(version: usize) -> Value {
    json!({"repo": "https://github.com/acme/ark", "commit": "v".repeat(version * 40 + 1)})
}

fn version_key(version: usize) -> String {
    format!(
        "https://github.com/acme/ark@{}",
        "v".repeat(version * 40 + 1)
    )
}

impl What {
    /// The method, its arguments and the deposit.
    fn call(&self) -> (&'static str, Value, u128) {
        let named = |accessor: &Access, profile: usize| json!({"accessor": accessor.json(), "profile": PROFILES[profile]});
        let of = |name: usize, more: Value| with(json!({"project_name": NAMES[name]}), more);
        match self {
            Self::Store {
                accessor,
                profile,
                length,
                allowed,
                deposit,
            } => {
                let sealed = json!({"encrypted_secrets_base64": blob(*length), "access": condition(*allowed)});
                (
                    "store_secrets",
                    with(named(accessor, *profile), sealed),
                    *deposit,
                )
            }
            Self::Update {
                accessor,
                profile,
                allowed,
            } => {
                let access = json!({"new_access": condition(*allowed)});
                (
                    "update_access",
                    with(named(accessor, *profile), access),
                    PLENTY,
                )
            }
            Self::Delete { accessor, profile } => ("delete_secrets", named(accessor, *profile), 0),
            Self::Create { name, version } => {
                let arguments = json!({"name": NAMES[*name], "source": source(*version)});
                ("create_project", arguments, PLENTY)
            }
            Self::Add {
                name,
                version,
                set_active,
            } => {
                let more = json!({"source": source(*version), "set_active": set_active});
                ("add_version", of(*name, more), PLENTY)
            }
            Self::Activate { name, version } => (
                "set_active_version",
                of(*name, json!({"version_key": version_key(*version)})),
                1,
            ),
            Self::Remove { name, version } => (
                "remove_version",
                of(*name, json!({"version_key": version_key(*version)})),
                0,
            ),
            Self::DeleteProject { name } => ("delete_project", of(*name, json!({})), 0),
            Self::Transfer { name, to } => (
                "transfer_project",
                of(*name, json!({"new_owner": PEOPLE[*to]})),
                PLENTY,
            ),
        }
    }
}

impl Model {
    /// The accessor as it is kept, if it names something that is or was.
    fn pin(&self, accessor: Access) -> Option<String> {
        match accessor {
            Access::Repo => Some("repo".to_owned()),
            Access::Branch => Some("branch".to_owned()),
            Access::ProjectOf { owner, name } => {
                Some(self.projects.get(&(owner, name))?.0.to_string())
            }
            Access::Uuid(uuid) => Some(uuid.to_string()),
        }
    }

    fn exists(&self, accessor: Access) -> bool {
        match accessor {
            Access::Uuid(uuid) => self.projects.values().any(|project| project.0 == uuid),
            _ => self.pin(accessor).is_some(),
        }
    }

    /// Takes the step and says whether it should succeed.
    fn take(&mut self, who: usize, what: &What, estimate: Option<u128>) -> bool {
        match *what {
            What::Store {
                accessor,
                profile,
                deposit,
                ..
            } => {
                let fits = self.exists(accessor) && estimate.is_some_and(|yocto| yocto <= deposit);
                if let Some(accessor) = self.pin(accessor).filter(|_| fits) {
                    self.secrets.insert((who, accessor, profile));
                }
                fits
            }
            What::Update {
                accessor, profile, ..
            } => {
                let key = self.pin(accessor).map(|accessor| (who, accessor, profile));
                key.is_some_and(|key| self.secrets.contains(&key))
            }
            What::Delete { accessor, profile } => {
                let key = self.pin(accessor).map(|accessor| (who, accessor, profile));
                key.is_some_and(|key| self.secrets.remove(&key))
            }
            _ => self.take_project(who, what),
        }
    }

    /// Takes a step that is about projects, not secrets.
    fn take_project(&mut self, who: usize, what: &What) -> bool {
        let project = |name: usize| (who, name);
        match *what {
            What::Create { name, version } => {
                let free = !self.projects.contains_key(&project(name));
                if free {
                    self.created += 1;
                    let made = (self.created, BTreeSet::from([version]), version);
                    self.projects.insert(project(name), made);
                }
                free
            }
            What::Add {
                name,
                version,
                set_active,
            } => {
                let Some((_, versions, active)) = self.projects.get_mut(&project(name)) else {
                    return false;
                };
                let added = versions.insert(version);
                if added && set_active {
                    *active = version;
                }
                added
            }
            What::Activate { name, version } => {
                let Some((_, versions, active)) = self.projects.get_mut(&project(name)) else {
                    return false;
                };
                let known = versions.contains(&version);
                if known {
                    *active = version;
                }
                known
            }
            What::Remove { name, version } => {
                let known = self.projects.get_mut(&project(name));
                known.is_some_and(|(_, versions, active)| {
                    *active != version && versions.remove(&version)
                })
            }
            What::DeleteProject { name } => self.projects.remove(&project(name)).is_some(),
            What::Transfer { name, to } => {
                let free = !self.projects.contains_key(&(to, name));
                let moved = free.then(|| self.projects.remove(&project(name))).flatten();
                let done = moved.is_some();
                self.projects.extend(moved.map(|moved| ((to, name), moved)));
                done
            }
            What::Store { .. } | What::Update { .. } | What::Delete { .. } => false,
        }
    }

    /// What is listed is what should be, and all that is held is for it.
    fn check(&self, town: &Town) {
        let list = |method: &str, who: &str| {
            let list = town.view(method, json!({"account_id": who}));
            list.as_array().unwrap().clone()
        };
        let mut held = 0;
        for (index, who) in PEOPLE.into_iter().enumerate() {
            let secrets = list("list_user_secrets", who);
            held += secrets
                .iter()
                .map(|it| yocto(&it["storage_deposit"]))
                .sum::<u128>();
            assert_eq!(
                secrets.len(),
                self.secrets
                    .iter()
                    .filter(|secret| secret.0 == index)
                    .count()
            );
            let projects = list("list_user_projects", who);
            held += projects
                .iter()
                .map(|it| yocto(&it["storage_deposit"]))
                .sum::<u128>();
            let mut shown: Vec<_> = projects
                .iter()
                .map(|it| {
                    (
                        it["name"].clone(),
                        it["uuid"].clone(),
                        it["active_version"].clone(),
                    )
                })
                .collect();
            shown.sort_by_key(|it| it.0.to_string().len());
            let own = self.projects.iter().filter(|(key, _)| key.0 == index);
            let expected: Vec<_> = own
                .map(|((_, name), (uuid, _, active))| {
                    (
                        json!(NAMES[*name]),
                        json!(format!("p{uuid:016x}")),
                        json!(version_key(*active)),
                    )
                })
                .collect();
            assert_eq!(shown, expected);
        }
        assert_eq!(town.held(), held);
        town.check_money();
    }
}

/// Takes a step on the chain and in the model, and compares.
fn take(town: &mut Town, model: &mut Model, step: &Step) {
    let who = PEOPLE[step.who];
    let (method, arguments, deposit) = step.what.call();
    let estimate = match &step.what {
        What::Store { accessor, .. } if model.exists(*accessor) => {
            let arguments = with(arguments.clone(), json!({"owner": who}));
            Some(yocto(&town.view("estimate_storage_cost", arguments)))
        }
        _ => None,
    };
    let before = town.balance(OUTLAYER);

    let sent = town.pay(who, method, &arguments, deposit);

    let succeeds = model.take(step.who, &step.what, estimate);
    assert_eq!(!sent.is_refused(), succeeds, "{step:?}");
    if let Some(estimate) = estimate.filter(|_| succeeds) {
        assert_eq!(town.balance(OUTLAYER).saturating_sub(before), estimate);
    }
}

/// Everyone deletes all that they have.
fn delete_all(town: &mut Town) {
    for who in PEOPLE {
        let whole = json!({"account_id": who});
        for secret in town
            .view("list_user_secrets", whole.clone())
            .as_array()
            .unwrap()
        {
            let named = json!({"accessor": secret["accessor"], "profile": secret["profile"]});
            town.call(who, "delete_secrets", named).value();
        }
        for project in town.view("list_user_projects", whole).as_array().unwrap() {
            let named = json!({"project_name": project["name"]});
            town.call(who, "delete_project", named).value();
        }
    }
}

proptest! {
    #![proptest_config(Config { cases: 16, max_shrink_iters: 60, failure_persistence: None, ..Config::default() })]

    #[test]
    fn what_is_held_is_what_the_bytes_cost_and_all_of_it_comes_back(
        steps in proptest::collection::vec(step(), 5..60),
    ) {
        let mut town = Town::new();
        let (stake, balance) = (town.stake(), town.balance(OUTLAYER));
        let mut model = Model::default();

        for step in &steps {
            take(&mut town, &mut model, step);
            prop_assert_eq!(town.stake() - stake, town.held());
            prop_assert_eq!(town.balance(OUTLAYER) - balance, town.held());
            model.check(&town);
        }

        delete_all(&mut town);
        prop_assert_eq!((town.stake(), town.balance(OUTLAYER), town.held()), (stake, balance, 0));
    }
}
