// A real OpenID provider (npm: oidc-provider) on loopback for the tests. It prints one line of JSON
// with its addresses when it listens, and ends when its standard input does.
// Two issuers share one key set: a token of the second must not pass for one of the first.
// POST /control changes people, keys and the provider's clock.
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const { OIDC_PROVIDER, RP_ORIGIN } = process.env;
const { Provider } = await import(pathToFileURL(`${OIDC_PROVIDER}/lib/index.js`));

const now = Date.now;
let behind = 0; // seconds
Date.now = () => now() - behind * 1000;

const people = {};
const key = () => {
  const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...pair.privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig", alg: "RS256" };
};
let keys = [key()];

const client = (client_id, more) => ({
  client_id,
  redirect_uris: [`${RP_ORIGIN}/api/v1/session/oidc/callback`],
  grant_types: ["authorization_code"],
  response_types: ["code"],
  ...more,
});

const provider = (issuer) => {
  const made = new Provider(issuer, {
    clients: [
      client("atelier", {
        client_secret: "a secret: with / signs & spaces",
        backchannel_logout_uri: `${RP_ORIGIN}/api/v1/session/oidc/logout`,
        backchannel_logout_session_required: true,
      }),
      client("public", { token_endpoint_auth_method: "none" }),
      client("another", { token_endpoint_auth_method: "none" }),
    ],
    jwks: { keys },
    cookies: { keys: ["tests only"] },
    pkce: { required: () => true },
    features: {
      devInteractions: { enabled: true },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: true },
    },
    // as OpenID Connect Core 5.4 says: claims of scopes are given at the userinfo endpoint only
    claims: { openid: ["sub", "sid"], profile: ["name", "locale", "department", "groups"] },
    findAccount: (_ctx, id) => ({
      accountId: id,
      claims: () => ({ sub: id, ...(people[id] ?? {}) }),
    }),
    fetch: (url, { dispatcher, ...options }) => fetch(url, options), // its own refuses loopback
  });
  made.on("backchannel.error", (_ctx, error) => console.error("logout:", error.message));
  made.on("server_error", (_ctx, error) => console.error("provider:", error.message));
  return made;
};

const control = (ask) => {
  if (ask.people) Object.assign(people, ask.people);
  if (ask.behind !== undefined) behind = ask.behind;
  if (ask.rotate) {
    keys = ask.rotate === "keep-old" ? [key(), ...keys] : [key()];
    for (const each of served) each.handle = provider(each.issuer).callback();
  }
};

const served = [];
for (const name of ["first", "second"]) {
  const each = { name };
  const server = createServer((request, response) => {
    if (request.url !== "/control") return each.handle(request, response);
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      control(JSON.parse(Buffer.concat(parts).toString()));
      response.end("{}");
    });
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  each.issuer = `http://127.0.0.1:${server.address().port}`;
  each.handle = provider(each.issuer).callback();
  served.push(each);
}
console.log(JSON.stringify(Object.fromEntries(served.map((each) => [each.name, each.issuer]))));
process.stdin.on("end", () => process.exit(0)).resume();
