// A page that a server gave out: it asks the server for its models and for what they look at. The key stays in memory.
'use strict';

const asked = { key: '', model: '', input: '', target: '', method: '', models: [], methods: [], wants: '', said: '', wrong: false };

heed.call = async (path, body) => {
  const headers = { ...(asked.key && { Authorization: `Bearer ${asked.key}` }), ...(body && { 'Content-Type': 'application/json' }) };
  const response = await fetch(path, { method: body ? 'POST' : 'GET', headers, body: body && JSON.stringify(body) });
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.error.message), { status: response.status });
  return answer;
};
heed.servedModel = () => asked.model;

heed.tell = (said, wrong = false) => {
  Object.assign(asked, { said, wrong });
  const line = document.getElementById('asking-said');
  line.textContent = said;
  line.classList.toggle('wrong', wrong);
};

// Which models and methods there are; where a key is wanted, for that.
const arrive = async () => {
  try {
    const { data } = await heed.call('/v1/models'), { paths } = await heed.call('/openapi.json');
    const { method } = paths['/v1/explain'].post.requestBody.content['application/json'].schema.properties;
    const names = method.anyOf[0].enum;
    Object.assign(asked, { models: data.map(({ id }) => id), methods: names, model: data[0].id, method: names[0], wants: 'text', said: '', wrong: false });
  } catch (error) {
    Object.assign(asked, { wants: error.status === 401 ? 'key' : asked.wants, said: error.status === 401 && !asked.key ? '' : error.message, wrong: true });
  }
};

// The last layer between two texts, or the last: where most is to be seen.
const chief = (seen) => {
  const between = seen.layers.findLastIndex((layer) => layer.queries !== layer.keys);
  return between >= 0 ? between : Math.max(seen.layers.length - 1, 0);
};

const look = async () => {
  const { model, input, target, method } = asked;
  heed.tell(heed.say('looking'));
  try {
    const answer = await heed.call('/v1/explain', { model, input, method, vectors: true, ...(target && { target }) });
    heed.seen = new heed.Seen({ ...heed.page, ...answer });
    Object.assign(heed.state, { view: '', layer: chief(heed.seen), head: 'mean', query: 0, key: 0, step: 0, text: 0, method: 0 });
    heed.legal(heed.state);
    heed.saveAddress();
    await heed.show();
    heed.tell(heed.say('looked'));
  } catch (error) {
    heed.tell(error.message, true);
  }
};

const field = (label, input, wide) => heed.el('label', { class: wide ? 'field wide' : 'field' }, label, input);
const typed = (name, attributes) => {
  const input = heed.el('input', { type: 'text', id: `ask-${name}`, autocomplete: 'off', spellcheck: 'false', oninput: () => (asked[name] = input.value), ...attributes });
  input.value = asked[name];
  return input;
};
const listed = (name, label, all) =>
  field(label, heed.el('select', { id: `ask-${name}`, onchange: (event) => choose(name, event.target.value) },
    all.map((each) => heed.el('option', { selected: each === asked[name] }, each))));
const choose = (name, value) => {
  asked[name] = value;
  if (name === 'model' && heed.state.view === 'training') heed.show();
};

const forms = {
  '': () => [],
  key: () => [heed.el('p', {}, heed.say('key_wanted')), field(heed.say('key'), typed('key', { type: 'password' })), heed.el('button', { class: 'plain chief', id: 'ask-enter' }, heed.say('enter'))],
  text: () => [
    listed('model', heed.say('which_model'), asked.models),
    field(heed.say('what_text'), typed('input', { required: true }), true),
    field(heed.say('what_target'), typed('target', { placeholder: heed.say('own_result') })),
    listed('method', heed.say('method'), asked.methods),
    heed.el('button', { class: 'plain chief', id: 'ask-look' }, heed.say('look')),
  ],
};

// The form in the language of the page; it is made anew where that or what it wants has changed.
heed.showAsking = () => {
  if (!heed.seen.served) return;
  const form = document.getElementById('asking'), dress = `${heed.state.lang} ${asked.wants}`;
  if (form.dataset.dress === dress) return;
  form.dataset.dress = dress;
  form.hidden = false;
  form.setAttribute('aria-label', heed.say('served'));
  form.replaceChildren(...forms[asked.wants](), heed.el('p', { id: 'asking-said', role: 'status', class: asked.wrong ? 'wrong' : '' }, asked.said));
};

heed.arrive = async () => {
  heed.page ||= heed.seen;
  await arrive();
  heed.state = heed.legal(heed.readAddress(location.hash));
  await heed.show();
  heed.tell(asked.said, asked.wrong);
  document.getElementById(asked.wants === 'key' ? 'ask-key' : 'ask-input')?.focus();
};
heed.submitted = (event) => {
  event.preventDefault();
  return asked.wants === 'key' ? heed.arrive() : look();
};
