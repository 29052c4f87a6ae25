// Begins when everything is there.
'use strict';

heed.start = () => {
  heed.seen = new heed.Seen();
  heed.state = heed.legal(heed.readAddress());
  document.getElementById('skip').addEventListener('click', () => document.getElementById('panel').focus());
  addEventListener('hashchange', () => { heed.state = heed.legal(heed.readAddress()); heed.show(); });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => heed.show());
  return heed.show();
};
heed.started = heed.start();
