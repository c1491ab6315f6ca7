// @ts-check
// Comfort for the audit pages: every page works without it. What it looks for in the markup:
//   html[data-root][data-zone][data-locale][data-texts]   written by the frame; data-zone-asked where ?tz= chose the zone,
//                                                         data-fetch where the page's policy lets it load something
//   time.moment[datetime] > .moment-at[data-form], .moment-ago
//   [data-live="url of the newest entries as JSON"]       the list; [data-entry] names each row, details[data-group] each group
//   [data-item]                                           what j and k walk through; its first [data-open], summary or link gets the focus
//   select[data-slider]                                   versions, newest first; its form is sent when the slider moves
//   input[type=datetime-local][data-instant]              the instant in UTC that stands in it
//   [data-day]                                            headings of days, which are days of the page's zone
//   [data-swap="name"]                                    what is replaced when only a part of the page changes
//   form[data-pick-two]                                   of its boxes at most two are ticked
//   [data-copy]                                           text or data-copy value that a button copies
(() => {
  'use strict';

  const root = document.documentElement;
  const { locale = 'en', zone: pageZone = 'UTC' } = root.dataset;
  /** @type {Record<string, string>} */
  const texts = JSON.parse(root.dataset.texts ?? '{}');

  /** @param {string} key @param {Record<string, string | number>} [values] */
  const text = (key, values = {}) =>
    (texts[key] ?? '').replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));

  const plural = new Intl.PluralRules(locale);
  /** @param {string} key @param {number} n */
  const counted = (key, n) => {
    const form = `${key}.${plural.select(n)}`;
    return text(form in texts ? form : `${key}.other`, { n: n.toLocaleString(locale) });
  };

  /** @type {<T extends Element = HTMLElement>(selector: string, within?: ParentNode) => T[]} */
  const all = (selector, within = document) => /** @type {any[]} */ ([...within.querySelectorAll(selector)]);

  /**
   * @template {keyof HTMLElementTagNameMap} Tag
   * @param {Tag} tag @param {Record<string, string>} [attributes] @param {...(Node | string)} children
   */
  const element = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };

  /** Storage throws where a visitor has switched it off. @param {string} key @param {string} [value] */
  const remember = (key, value) => {
    try {
      if (value !== undefined) localStorage.setItem(key, value);
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  };

  // --- Times --------------------------------------------------------------------------------------------------------

  const ownZone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  const zone = 'zoneAsked' in root.dataset || !ownZone ? pageZone : ownZone;
  /** @type {Record<string, Intl.DateTimeFormat>} */
  const formats = {
    date: new Intl.DateTimeFormat(locale, { timeZone: zone, dateStyle: 'medium' }),
    time: new Intl.DateTimeFormat(locale, { timeZone: zone, timeStyle: 'medium', hourCycle: 'h23' }),
  };
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  /** @type {[Intl.RelativeTimeFormatUnit, number][]} */
  const units = [
    ['year', 31_557_600],
    ['month', 2_629_800],
    ['week', 604_800],
    ['day', 86_400],
    ['hour', 3600],
    ['minute', 60],
    ['second', 1],
  ];

  /** @param {Date} date @param {string} [form] */
  const absolute = (date, form) =>
    form && formats[form]
      ? formats[form].format(date)
      : `${formats.date.format(date)}, ${formats.time.format(date)}`;

  /** @param {Date} date */
  const ago = (date) => {
    const seconds = Math.round((date.getTime() - Date.now()) / 1000);
    const [unit, length] = units.find(([, each]) => Math.abs(seconds) >= each) ?? ['second', 1];
    return relative.format(Math.trunc(seconds / length), unit);
  };

  /** @param {Element} moment @param {string} selector @param {(part: HTMLElement) => string} write */
  const rewrite = (moment, selector, write) => {
    for (const part of all(selector, moment)) {
      const wanted = write(part);
      if (part.textContent !== wanted) part.textContent = wanted;
    }
  };

  const writeTimes = () => {
    for (const moment of all('time.moment')) {
      const date = new Date(moment.getAttribute('datetime') ?? '');
      if (Number.isNaN(date.getTime())) continue;
      rewrite(moment, '.moment-ago', () => ago(date));
      if (zone !== pageZone) rewrite(moment, '.moment-at', (part) => absolute(date, part.dataset.form));
    }
  };

  /** Days and charts of this page are in its own zone; from the next page on the server writes all in the browser's. */
  const adoptZone = () => {
    if (zone === pageZone) return;
    const path = new URL(root.dataset.root ?? './', location.href).pathname;
    document.cookie = `audit-zone=${encodeURIComponent(zone)}; path=${path}; max-age=31536000; samesite=lax`;
    for (const name of all('[data-zone-name]')) name.textContent = text('zone', { zone });
    for (const day of all('[data-day]')) day.append(` (${pageZone})`);
    for (const form of all('form:has([type="datetime-local"]):not(:has([name="tz"]))')) adoptFields(form);
  };

  /** `2026-11-21T20:17:26`, as a field of date and time wants it. @param {string} instant */
  const typed = (instant) => new Date(instant).toLocaleString('sv', { timeZone: zone }).replace(' ', 'T');

  /** What stands in a field is said in the browser's zone too, where the page tells the instant. @param {HTMLElement} form */
  function adoptFields(form) {
    /** @type {HTMLInputElement[]} */
    const fields = all('[type="datetime-local"]', form);
    const isKnown = fields.every(({ value, dataset }) => value === '' || dataset.instant);
    if (isKnown) for (const one of fields) if (one.dataset.instant) one.value = typed(one.dataset.instant);
    form.append(element('input', { type: 'hidden', name: 'tz', value: isKnown ? zone : pageZone }));
  }

  // --- Parts of pages -----------------------------------------------------------------------------------------------

  const mayFetch = 'fetch' in root.dataset;

  /** @param {string} url @param {Record<string, string>} [headers] */
  const load = (url, headers = {}) => fetch(url, { headers, credentials: 'same-origin', cache: 'no-store' });

  /** @param {string} url @param {number[]} [alsoFine] statuses beside 200 that still are a page of this kind */
  const loadPage = async (url, alsoFine = []) => {
    const answer = await load(url);
    if (answer.redirected || !(answer.ok || alsoFine.includes(answer.status)))
      throw new Error(`${answer.status}`);
    return new DOMParser().parseFromString(await answer.text(), 'text/html');
  };

  /** Takes each part of the page over from a newer one. @param {Document} page @param {string} selector */
  const swap = (page, selector) => {
    const fresh = all(selector, page);
    for (const [index, old] of all(selector).entries()) {
      const open = new Set(all('details[data-group][open]', old).map((one) => one.dataset.group));
      const known = new Set(all('[data-entry]', old).map((one) => one.dataset.entry));
      const next = fresh[index];
      if (!next) continue;
      for (const one of all('details[data-group]', next))
        if (open.has(one.dataset.group)) one.setAttribute('open', '');
      if (known.size > 0)
        for (const one of all('[data-entry]', next))
          one.classList.toggle('new', !known.has(one.dataset.entry));
      old.replaceChildren(...next.childNodes);
    }
    enhance();
    writeTimes();
  };

  // --- Live ---------------------------------------------------------------------------------------------------------

  const POLL_MS = 2500;
  const MAX_WAIT_MS = 30_000;
  const MAX_PAGES = 5;

  /**
   * Ids of the newest entries. Ids are given before a transaction commits, so an older id may turn up later: what is new is told
   * by comparing, never by "greater than the last".
   * @param {string} url
   */
  const newestIds = (url) => {
    let etag = '';
    /** @type {Set<string>} */
    const seen = new Set();
    return async () => {
      /** @type {string[]} */
      const found = [];
      let next = url;
      for (let page = 0; next && page < MAX_PAGES; page += 1) {
        const answer = await load(next, page === 0 && etag ? { 'if-none-match': etag } : {});
        if (answer.status === 304) break;
        if (!answer.ok) throw new Error(`${answer.status}`);
        if (page === 0) etag = answer.headers.get('etag') ?? '';
        /** @type {{ data: { id: string }[], page: { next: string | null } }} */
        const list = await answer.json();
        const unknown = list.data.map(({ id }) => id).filter((id) => !seen.has(id));
        // The first look only learns what is there already.
        const isFull = seen.size > 0 && list.data.length > 0 && unknown.length === list.data.length;
        found.push(...unknown);
        next = isFull && list.page.next ? new URL(list.page.next, answer.url).href : '';
        if (!isFull) break;
      }
      for (const id of found) seen.add(id);
      return found;
    };
  };

  /** @param {HTMLElement} list */
  const live = (list) => {
    const button = element('button', { type: 'button', 'aria-pressed': 'false' }, text('live'));
    const show = element('button', { type: 'button', class: 'primary', hidden: '' });
    const message = element('span', { role: 'status', class: 'small muted' });
    const place = document.querySelector('[data-live-control]');
    const bar = element('div', { class: 'live no-print' }, button, show, message);
    if (place) place.append(bar);
    else list.before(bar);

    /** @type {ReturnType<typeof newestIds> | null} */
    let poll = null;
    let waiting = 0;
    let failures = 0;
    let timer = 0;
    let isBusy = false;

    const take = async () => {
      const count = waiting;
      swap(await loadPage(location.href), '[data-live]');
      waiting -= count;
      show.hidden = waiting === 0;
      list.dataset.shown = String(Number(list.dataset.shown ?? 0) + count);
      message.textContent = counted('live.shown', count);
    };
    /** Rows that move under a reader's eyes or focus wait for a press on the button. */
    const isReading = () => scrollY > 200 || list.contains(document.activeElement);
    const announce = async () => {
      if (!isReading()) return take();
      show.textContent = counted('live.new', waiting);
      show.hidden = false;
      message.textContent = counted('live.new', waiting);
    };
    const look = async () => {
      if (!poll || isBusy || document.hidden) return;
      isBusy = true;
      try {
        waiting += (await poll()).length;
        if (waiting > 0) await announce();
        failures = 0;
      } catch {
        failures += 1;
        message.textContent = text('live.lost');
      }
      isBusy = false;
      if (poll !== null) timer = setTimeout(look, Math.min(POLL_MS * 2 ** failures, MAX_WAIT_MS));
    };
    const start = async () => {
      poll = newestIds(list.dataset.live ?? '');
      button.setAttribute('aria-pressed', 'true');
      message.textContent = text('live.on');
      isBusy = true;
      try {
        await poll();
        swap(await loadPage(location.href), '[data-live]');
        list.dataset.watching = '';
      } catch {
        message.textContent = text('live.lost');
      }
      isBusy = false;
      clearTimeout(timer);
      timer = setTimeout(look, POLL_MS);
    };
    const stop = () => {
      poll = null;
      waiting = 0;
      clearTimeout(timer);
      delete list.dataset.watching;
      button.setAttribute('aria-pressed', 'false');
      show.hidden = true;
      message.textContent = '';
    };
    button.addEventListener('click', () => (poll ? stop() : void start()));
    show.addEventListener('click', () => {
      button.focus();
      void take().catch(() => (message.textContent = text('live.lost')));
    });
    document.addEventListener('visibilitychange', () => {
      clearTimeout(timer);
      void look();
    });
  };

  // --- Versions -----------------------------------------------------------------------------------------------------

  /** @param {HTMLSelectElement} select */
  const slider = (select) => {
    const { form, options } = select;
    if (!form || options.length < 2 || select.dataset.slider === 'on') return;
    const last = options.length - 1;
    const range = element('input', { type: 'range', min: '0', max: String(last), step: '1' });
    range.setAttribute('aria-label', text('versions'));
    // Newest first in the list, oldest on the left of the slider.
    const chosen = () => options[last - range.valueAsNumber];
    const tell = () => range.setAttribute('aria-valuetext', chosen()?.text.trim() ?? '');
    range.valueAsNumber = last - Math.max(select.selectedIndex, 0);
    tell();
    select.dataset.slider = 'on';
    const wrap = element('div', { class: 'slider no-print' }, range);
    (form.querySelector('[data-slider-place]') ?? form).append(wrap);

    let request = 0;
    const go = async () => {
      const url = new URL(form.action);
      for (const [name, value] of new FormData(form))
        if (typeof value === 'string' && value !== '') url.searchParams.set(name, value);
      if (!mayFetch) return location.assign(url);
      const mine = (request += 1);
      try {
        // The object may not have been there, or not be known, at that version.
        const page = await loadPage(url.href, [404, 410, 422]);
        if (mine !== request) return;
        history.replaceState(null, '', url);
        document.title = page.title;
        swap(page, '[data-swap]');
      } catch {
        location.assign(url);
      }
    };
    let timer = 0;
    range.addEventListener(mayFetch ? 'input' : 'change', () => {
      select.selectedIndex = last - range.valueAsNumber;
      for (const field of all('[type="datetime-local"]', form)) /** @type {any} */ (field).value = '';
      tell();
      clearTimeout(timer);
      timer = setTimeout(go, 120);
    });
  };

  /** @param {HTMLFormElement} form */
  const pickTwo = (form) => {
    /** @type {HTMLInputElement[]} */
    const order = all('input[type="checkbox"]:checked', form);
    const button = /** @type {HTMLButtonElement | null} */ (form.querySelector('[data-pick-go]'));
    const settle = () => {
      while (order.length > 2) {
        const oldest = order.shift();
        if (oldest) oldest.checked = false;
      }
      if (button) button.disabled = order.length !== 2;
    };
    form.addEventListener('change', ({ target }) => {
      if (!(target instanceof HTMLInputElement) || target.type !== 'checkbox') return;
      if (target.checked) order.push(target);
      else order.splice(order.indexOf(target), 1);
      settle();
    });
    settle();
  };

  // --- Copying ------------------------------------------------------------------------------------------------------

  /** @param {HTMLElement} source */
  const copyable = (source) => {
    const button = element('button', { type: 'button', class: 'quiet copy no-print' }, text('copy'));
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(source.dataset.copy || (source.textContent ?? '').trim());
      button.textContent = text('copied');
      setTimeout(() => (button.textContent = text('copy')), 2000);
    });
    source.after(button);
  };

  // --- Keys ---------------------------------------------------------------------------------------------------------

  const KEYS_OFF = 'audit-keys-off';

  const helpDialog = () => {
    const switchBox = element('input', { type: 'checkbox', id: 'audit-keys' });
    switchBox.checked = remember(KEYS_OFF) !== '1';
    switchBox.addEventListener('change', () => remember(KEYS_OFF, switchBox.checked ? '0' : '1'));
    const rows = [
      ['j', 'key.next'],
      ['k', 'key.previous'],
      ['Enter', 'key.open'],
      ['/', 'key.search'],
      ['?', 'key.help'],
      ['Esc', 'key.close'],
    ].map(([key = '', does = '']) => [
      element('dt', {}, element('kbd', {}, key)),
      element('dd', {}, text(does)),
    ]);
    const close = element('button', { type: 'button' }, text('key.close'));
    const dialog = element(
      'dialog',
      { 'aria-labelledby': 'audit-keys-title', class: 'keys' },
      element('h2', { id: 'audit-keys-title' }, text('keys')),
      element('dl', { class: 'facts' }, ...rows.flat()),
      element('p', {}, element('label', { class: 'choice' }, switchBox, text('keys.on'))),
      close,
    );
    close.addEventListener('click', () => dialog.close());
    document.body.append(dialog);
    return dialog;
  };

  /** @type {HTMLDialogElement | null} */
  let help = null;
  const showHelp = () => {
    help ??= helpDialog();
    help.showModal();
  };

  /** @param {number} step */
  const walk = (step) => {
    const items = all('[data-item]').filter((item) => item.checkVisibility());
    const here = items.findIndex((item) => 'current' in item.dataset);
    const next = items[here === -1 ? (step > 0 ? 0 : -1) : here + step];
    if (!next) return;
    for (const item of items) delete item.dataset.current;
    next.dataset.current = '';
    const target = all('[data-open]', next)[0] ?? all('summary, a[href]', next)[0];
    target?.focus({ preventScroll: true });
    next.scrollIntoView({ block: 'nearest' });
  };

  /** @type {Record<string, () => void>} */
  const keys = {
    j: () => walk(1),
    k: () => walk(-1),
    '/': () => all('input[type="search"]')[0]?.focus(),
    '?': showHelp,
  };

  /** Single keys must not act while someone types, and can be switched off. */
  document.addEventListener('keydown', (event) => {
    const { key, target } = event;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const isTyping =
      target instanceof Element &&
      target.closest('input:not([type="checkbox"], [type="radio"]), textarea, select, [contenteditable]');
    if (isTyping) {
      if (key === 'Escape' && target instanceof HTMLElement) target.blur();
      return;
    }
    const action = keys[key];
    if (!action || document.querySelector('dialog[open]') || remember(KEYS_OFF) === '1') return;
    event.preventDefault();
    action();
  });

  // --- Start --------------------------------------------------------------------------------------------------------

  /** What a part of a page needs, again after that part was replaced. */
  function enhance() {
    for (const select of all('select[data-slider]')) slider(/** @type {HTMLSelectElement} */ (select));
    if (!navigator.clipboard) return;
    for (const source of all('[data-copy]:not(:has(+ .copy))')) copyable(source);
  }

  root.classList.add('script');
  adoptZone();
  writeTimes();
  setInterval(writeTimes, 30_000);
  enhance();
  for (const form of all('form[data-pick-two]')) pickTwo(/** @type {HTMLFormElement} */ (form));
  const list = all('[data-live]')[0];
  if (list && mayFetch) live(list);
  const keysButton = element('button', { type: 'button', class: 'quiet small no-print' }, text('keys'));
  keysButton.addEventListener('click', showHelp);
  document.querySelector('.bottom')?.append(keysButton);
})();
