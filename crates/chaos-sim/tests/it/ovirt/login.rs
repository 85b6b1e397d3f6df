//! Tokens: how they are asked for, what comes back, and how they end.

use chaos_sim::Sim;
use hyper::Method;
use serde_json::{Value, json};

use super::{API, Api, FORM, TOKEN, ask_for_token, plain};
use crate::client::{Answer, Client};

fn told(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.bytes).unwrap_or_else(|_| panic!("{}", answer.text()))
}

async fn token(client: &Client, form: &str, accept: &str) -> Answer {
    let headers = [("content-type", FORM), ("accept", accept)];
    client.send(Method::POST, TOKEN, form.to_owned(), &headers).await.unwrap()
}

async fn logout(client: &Client, form: &str) -> Answer {
    let headers = [("content-type", FORM), ("accept", "application/json")];
    client.send(Method::POST, "/ovirt-engine/services/sso-logout", form.to_owned(), &headers).await.unwrap()
}

#[tokio::test]
async fn a_token_comes_with_its_end_as_a_text_and_a_longer_scope() {
    let (sim, _) = plain().await;
    let answer = ask_for_token(&Client::stranger(&sim), "chaos@internal", "chaos").await;
    assert_eq!((answer.status, &answer.headers["content-type"]), (200, &"application/json".parse().unwrap()));
    let told = told(&answer);
    assert_eq!(told["access_token"].as_str().unwrap().len(), 86);
    assert_eq!((&told["exp"], &told["token_type"]), (&json!("9223372036854775807"), &json!("bearer")));
    assert!(told["scope"].as_str().unwrap().starts_with("ovirt-app-api ovirt-ext="));
    assert_eq!(told.as_object().unwrap().len(), 4);
}

#[tokio::test]
async fn only_json_and_nothing_else_is_accepted_for_it() {
    let (sim, _) = plain().await;
    let client = Client::stranger(&sim);
    let form = "grant_type=password&scope=ovirt-app-api&username=chaos%40internal&password=chaos";
    for accept in ["*/*", "application/json, text/plain", "application/xml", "application/json;q=1"] {
        let answer = token(&client, form, accept).await;
        let message = json!({"error_code": "invalid_request", "error": "Missing parameter: 'Accept Header'"});
        assert_eq!((answer.status, told(&answer)), (400, message), "{accept}");
    }
    // It is looked at last.
    let wrong = token(&client, &form.replace("=chaos", "=wrong"), "*/*").await;
    assert_eq!(told(&wrong)["error_code"], "access_denied");
    assert_eq!(sim.sessions().len(), 1, "a refused login leaves nothing behind");
}

#[tokio::test]
async fn a_refusal_has_its_message_where_others_have_their_code() {
    let (sim, _) = plain().await;
    let client = Client::stranger(&sim);
    let answer = ask_for_token(&client, "chaos@internal", "wrong").await;
    let message = "Cannot authenticate user 'chaos@internal': Unable to log in. Verify your login information or \
                   contact the system administrator..";
    assert_eq!((answer.status, told(&answer)), (400, json!({"error_code": "access_denied", "error": message})));
    for user in ["somebody", "somebody@nowhere"] {
        let message = "Cannot authenticate user 'somebody@N/A': No valid profile found in credentials..";
        let answer = ask_for_token(&client, user, "x").await;
        assert_eq!(told(&answer), json!({"error_code": "access_denied", "error": message}), "{user}");
    }
    let answer = token(&client, "grant_type=password&username=a&password=b", "application/json").await;
    let other = json!({"error": "invalid_request", "error_description": "Missing parameter: 'scope'"});
    assert_eq!((answer.status, told(&answer)), (400, other));
    let answer = token(&client, "grant_type=x&scope=ovirt-app-api", "application/json").await;
    assert_eq!(told(&answer)["error_code"], "unsupported_grant_type");
}

#[tokio::test]
async fn an_account_is_known_by_its_name_and_with_the_profile_of_the_engine() {
    let sim = Sim::builder().olvm().credentials("jdoe@corp.example", "pass word+&ü").start().await.unwrap();
    let client = Client::stranger(&sim);
    assert_eq!(ask_for_token(&client, "jdoe@corp.example", "pass word+&ü").await.status, 200);
    assert_eq!(ask_for_token(&client, "jdoe@corp.example@internal", "pass word+&ü").await.status, 400);
    let (sim, _) = plain().await;
    let client = Client::stranger(&sim);
    for user in ["chaos", "chaos@internal"] {
        assert_eq!(ask_for_token(&client, user, "chaos").await.status, 200, "{user}");
    }
    // Where it stands does not matter.
    let path = format!("{TOKEN}?grant_type=password&scope=ovirt-app-api&username=chaos%40internal&password=chaos");
    let accept = [("accept", "application/json")];
    assert_eq!(client.send(Method::GET, &path, String::new(), &accept).await.unwrap().status, 200);
    assert!(sim.calls_of("token").iter().all(|call| call.query.is_none()), "a password is in no record");
}

#[tokio::test]
async fn logout_always_succeeds_and_ends_the_token() {
    let (sim, api) = plain().await;
    let form = format!("scope=ovirt-app-api&token={}", api.token);
    for _ in 0..2 {
        let answer = logout(&api.client, &form).await;
        assert_eq!((answer.status, answer.text()), (200, "{}"));
    }
    let answer = logout(&api.client, "scope=ovirt-app-api").await;
    assert_eq!((answer.status, &told(&answer)["error"]), (200, &json!("invalid_request")));
    assert_eq!((api.get("").await.status, sim.sessions().len()), (401, 0));
}

#[tokio::test]
async fn a_dead_token_and_an_unknown_one_get_the_same_page() {
    let (sim, api) = plain().await;
    let stranger = Client::stranger(&sim);
    let send = |headers: &'static [(&'static str, &'static str)]| {
        let stranger = stranger.clone();
        async move { stranger.send(Method::GET, API, String::new(), headers).await.unwrap() }
    };
    sim.kill_sessions();
    let expired = "invalid_grant: The provided authorization grant for the auth code has expired.";
    for (answer, text) in [
        (api.get("").await, expired),
        (api.get("/vms").await, expired),
        (send(&[("authorization", "Bearer nonsense")]).await, expired),
        (send(&[]).await, "Unauthorized"),
    ] {
        let page = format!("<html><head><title>Error</title></head><body>{text}</body></html>");
        assert_eq!((answer.status, answer.text()), (401, page.as_str()));
        assert_eq!(answer.headers["content-type"], "text/html;charset=UTF-8");
        assert_eq!(answer.headers["www-authenticate"], "Basic realm=\"RESTAPI\"");
    }
    let renewed = Api::login(&sim).await;
    assert_eq!(renewed.get("").await.status, 200);
}
