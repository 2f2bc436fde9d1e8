// A real authorization server (npm: oidc-provider) on loopback, as a service's own sign-in: people
// allow clients that register themselves, tokens are JWT for one resource. It prints one line of
// JSON with its address when it listens, and ends when its standard input does.
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const { OIDC_PROVIDER, RESOURCE } = process.env;
const { Provider } = await import(pathToFileURL(`${OIDC_PROVIDER}/lib/index.js`));

const server = createServer((request, response) => handle(request, response));
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, {
  clients: [],
  cookies: { keys: ["tests only"] },
  pkce: { required: () => true },
  scopes: ["openid", "offline_access", "calendar:read"],
  features: {
    devInteractions: { enabled: true },
    registration: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_ctx, resource) => {
        if (resource !== RESOURCE) throw new Error("another resource");
        return { scope: "calendar:read", accessTokenFormat: "jwt", jwt: { sign: { alg: "RS256" } } };
      },
    },
  },
  // whoever may use the calendar may use it tomorrow too
  issueRefreshToken: () => true,
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
});
provider.on("server_error", (_ctx, error) => console.error("provider:", error.message));
const handle = provider.callback();
console.log(JSON.stringify({ issuer }));
process.stdin.on("end", () => process.exit(0)).resume();
