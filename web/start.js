// Begins when everything is there.
'use strict';

heed.start = () => {
  heed.seen = new heed.Seen();
  const goTo = (hash) => (heed.state = heed.legal(heed.readAddress(hash)));
  goTo(location.hash);
  document.getElementById('skip').addEventListener('click', () => document.getElementById('panel').focus());
  addEventListener('hashchange', (event) => {
    clearTimeout(heed.saving);
    goTo(new URL(event.newURL).hash);
    heed.show();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => heed.show());
  if (!heed.seen.served) return heed.show();
  document.getElementById('asking').addEventListener('submit', heed.submitted);
  return heed.arrive();
};
heed.started = heed.start();
