// An OIDC provider for the tests of signing in: node provider.mjs, in a folder with oidc-provider.
// Prints its issuer URL on a line of its own once it answers. Everything is in memory.
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const PEOPLE = {
  alice: { groups: ['developers'], email: 'alice@corp.example', name: 'Alice Ahlgren' },
  bob: { groups: ['dba'], email: 'bob@corp.example', name: 'Bob Brandt' },
};
const ID_TOKEN_S = Number(process.env.ID_TOKEN_S ?? 600);

const account = (id) => PEOPLE[id] && {
  accountId: id,
  claims: () => ({ sub: id, preferred_username: id, email_verified: true, ...PEOPLE[id] }),
};

const configuration = {
  clients: [{
    client_id: 'dbgate',
    application_type: 'native', // RFC 8252: a loopback redirect on any port
    token_endpoint_auth_method: 'none',
    redirect_uris: ['http://127.0.0.1/callback'],
    response_types: ['code'],
    grant_types: [
      'authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code',
    ],
  }],
  scopes: ['openid', 'profile', 'email', 'groups', 'offline_access'],
  claims: {
    openid: ['sub'],
    profile: ['name', 'preferred_username'],
    email: ['email', 'email_verified'],
    groups: ['groups'],
  },
  conformIdTokenClaims: false, // claims in the ID token too, which is all that dbgate reads
  pkce: { required: () => true },
  rotateRefreshToken: true,
  findAccount: (_, id) => account(id),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  features: {
    devInteractions: { enabled: false },
    deviceFlow: { enabled: true },
    revocation: { enabled: true },
  },
  ttl: {
    IdToken: ID_TOKEN_S, AccessToken: 600, AuthorizationCode: 60, DeviceCode: 120,
    RefreshToken: 3600, Interaction: 300, Session: 3600, Grant: 3600,
  },
  cookies: { keys: ['of a test'] },
};

const form = async (request) => {
  let text = '';
  for await (const chunk of request) text += chunk;
  return new URLSearchParams(text);
};

const page = (name) => `<!doctype html><form method="post"><input name="${name}"></form>`;

async function consent(provider, { params, session, grantId, prompt }) {
  const grant = (grantId && await provider.Grant.find(grantId))
    ?? new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  if (prompt.details.missingOIDCScope) grant.addOIDCScope(prompt.details.missingOIDCScope.join(' '));
  if (prompt.details.missingOIDCClaims) grant.addOIDCClaims(prompt.details.missingOIDCClaims);
  return { consent: { grantId: await grant.save() } };
}

async function interact(provider, request, response) {
  const details = await provider.interactionDetails(request, response);
  const asksForLogin = details.prompt.name === 'login';
  if (request.method === 'GET') {
    response.setHeader('Content-Type', 'text/html');
    response.end(page(asksForLogin ? 'login' : 'consent'));
    return;
  }
  const given = await form(request);
  let result = { error: 'access_denied', error_description: 'the person said no' };
  if (asksForLogin && account(given.get('login'))) {
    result = { login: { accountId: given.get('login') } };
  } else if (!asksForLogin && given.get('consent') === 'yes') {
    result = await consent(provider, details);
  }
  const merge = { mergeWithLastSubmission: !asksForLogin };
  await provider.interactionFinished(request, response, result, merge);
}

// The port is known only after listening, and the issuer's URL holds it.
const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, configuration);
  const answer = provider.callback();
  server.on('request', (request, response) => {
    if (!request.url.startsWith('/interaction/')) {
      answer(request, response);
      return;
    }
    interact(provider, request, response).catch((error) => {
      response.statusCode = 400;
      response.end(String(error));
    });
  });
  console.log(issuer);
});
