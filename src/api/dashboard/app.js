/*
 * app.js - keeps the pages up to date and spares reloads.  Everything that it does
 * is also there without it: the pages are written by the server (page.c, h_home.c,
 * h_operation.c), the forms are plain forms.
 */
'use strict';

(() => {
	const body = document.body;
	const formToken = body.dataset.formToken;
	const method = (name) => `/xrpc/${body.dataset.authority}.${name}`;

	if (!formToken) return;

	/* --- figures, as human.c writes them --- */

	const count = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ',');

	function duration(secs) {
		const two = (n) => String(n).padStart(2, '0');
		if (secs < 60) return `${secs} s`;
		if (secs < 3600) return `${Math.floor(secs / 60)} min ${two(secs % 60)} s`;
		if (secs < 86400)
			return `${Math.floor(secs / 3600)} h ${two(Math.floor(secs % 3600 / 60))} min`;
		return `${Math.floor(secs / 86400)} d ${two(Math.floor(secs % 86400 / 3600))} h`;
	}

	function ago(then) {
		const secs = Math.floor((Date.now() - then) / 1000);
		for (const [size, name] of [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']])
			if (secs >= size) return `${Math.floor(secs / size)} ${name} ago`;
		return 'just now';
	}

	function tellTimes() {
		for (const time of document.querySelectorAll('time')) {
			const then = new Date(time.dateTime);
			time.textContent = ago(then);
			time.title = then.toLocaleString();
		}
	}

	/* --- a page's parts, replaced by newer ones --- */

	/* Make one element like another with as few changes as will do: what has the
	 * focus keeps it, what moves goes on moving. */
	function morph(from, to) {
		for (const { name, value } of to.attributes)
			if (from.getAttribute(name) !== value && name !== 'open')
				from.setAttribute(name, value);
		for (const { name } of [...from.attributes])
			if (!to.hasAttribute(name) && name !== 'open') from.removeAttribute(name);
		const olds = [...from.childNodes], news = [...to.childNodes];
		news.forEach((node, i) => {
			const old = olds[i];
			if (!old)
				from.append(node);
			else if (old.nodeType !== node.nodeType || old.nodeName !== node.nodeName ||
			    (old.dataset && old.dataset.op !== node.dataset.op))
				old.replaceWith(node);
			else if (node.nodeType === Node.ELEMENT_NODE)
				morph(old, node);
			else if (old.data !== node.data)
				old.data = node.data;
		});
		olds.slice(news.length).forEach((node) => node.remove());
	}

	let isRefreshing = false, isWanted = false;

	async function refresh() {
		isWanted = true;
		if (isRefreshing) return;
		isRefreshing = true;
		try {
			while (isWanted) {
				isWanted = false;
				const answer = await fetch(location.pathname + location.search);
				if (answer.redirected) {
					location.reload();	/* the session is over */
					return;
				}
				if (!answer.ok) return;
				const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
				for (const part of document.querySelectorAll('[data-live]')) {
					const newer = page.getElementById(part.id);
					if (newer) morph(part, newer);
				}
				tellTimes();
			}
		} catch {
			/* The stream says when the server is back. */
		} finally {
			isRefreshing = false;
		}
	}

	/* --- what happens, as it happens --- */

	function setFigure(part, name, text) {
		for (const figure of part.querySelectorAll(`[data-f="${name}"]`)) {
			figure.textContent = text;
			if (name !== 'percent' && name !== 'count') figure.hidden = text === '';
		}
	}

	function showProgress(op) {
		for (const part of document.querySelectorAll(`[data-op="${CSS.escape(op.id)}"]`)) {
			const bar = part.querySelector('progress');
			if (!bar) return refresh();
			if ('progress' in op) bar.value = op.progress;
			else bar.removeAttribute('value');
			setFigure(part, 'percent', 'progress' in op ? `${op.progress} %` : '');
			setFigure(part, 'stage', op.stage || 'starting');
			const of = op.stageProgress || { done: op.recordsProcessed, total: op.totalRecords };
			setFigure(part, 'count', count(of.done) + (of.total ? ` of ${count(of.total)}` : '') +
			    (op.stageProgress ? '' : ' records'));
			setFigure(part, 'rate', !('rate' in op) ? '' :
			    op.rate ? `${count(op.rate)}/s` : 'under 1/s');
			setFigure(part, 'eta', 'etaSeconds' in op ? `${duration(op.etaSeconds)} left` : '');
			setFigure(part, 'failed', op.itemsFailed ? `${count(op.itemsFailed)} failed` : '');
		}
	}

	const one = document.querySelector('#operation');
	const link = document.getElementById('link');
	let stream, lastDrawn = 0;

	function showLink(isLive) {
		link.hidden = false;
		link.textContent = isLive ? 'Live' : 'Reconnecting';
		link.classList.toggle('live', isLive);
	}

	function listen() {
		let wasLost = false;
		stream = new EventSource('/events' + (one ? `?id=${one.dataset.op}` : ''));
		stream.onopen = () => {
			showLink(true);
			if (wasLost) refresh();
			wasLost = false;
		};
		stream.onerror = () => {
			showLink(false);
			wasLost = true;
			if (stream.readyState === EventSource.CLOSED) setTimeout(again, 3000);
		};
		stream.addEventListener('operation', refresh);
		stream.addEventListener('reset', refresh);
		stream.addEventListener('progress', (event) => {
			showProgress(JSON.parse(event.data));
			if (one && Date.now() - lastDrawn > 2000) {
				lastDrawn = Date.now();
				refresh();	/* the chart and the history */
			}
		});
	}

	function again() {
		stream.close();
		if (!document.hidden) {
			listen();
			refresh();
		}
	}

	/* A browser has six connections to a server: pages that nobody looks at need none. */
	document.addEventListener('visibilitychange', () => {
		if (document.hidden) stream.close();
		else again();
	});

	/* --- asking and telling --- */

	function tell(text) {
		const toast = document.createElement('p');
		toast.className = 'toast';
		toast.textContent = text;
		document.getElementById('toasts').append(toast);
		setTimeout(() => toast.remove(), 8000);
	}

	function ask(title, text, yes, isDanger) {
		const dialog = document.createElement('dialog');
		const add = (parent, name, content, className) => {
			const element = document.createElement(name);
			element.textContent = content;
			if (className) element.className = className;
			parent.append(element);
			return element;
		};
		add(dialog, 'h2', title).id = 'ask';
		dialog.setAttribute('aria-labelledby', 'ask');
		add(dialog, 'p', text);
		const buttons = add(dialog, 'div', '', 'actions');
		add(buttons, 'button', 'Go back').onclick = () => dialog.close();
		const button = add(buttons, 'button', yes, isDanger ? 'danger solid' : 'primary');
		button.onclick = () => dialog.close('yes');
		body.append(dialog);
		dialog.showModal();
		return new Promise((resolve) => {
			dialog.onclose = () => {
				dialog.remove();
				resolve(dialog.returnValue === 'yes');
			};
		});
	}

	async function post(name, input) {
		const answer = await fetch(method(name), {
			method: 'POST',
			headers: { 'Content-Type': 'application/json', 'X-Form-Token': formToken },
			body: JSON.stringify(input),
		});
		if (answer.status === 401) {
			location.href = '/login';
			throw new Error('The session is over');
		}
		const json = await answer.json();
		if (!answer.ok) throw Object.assign(new Error(json.message), json);
		return json;
	}

	async function start(form) {
		const problem = form.querySelector('.problem');
		const button = form.querySelector('button');
		const input = {};
		for (const [name, value] of new FormData(form))
			if (value !== '' && name !== 'form_token')
				input[name] = name === 'batchSize' ? Number(value) : value;
		problem.hidden = true;
		if (form.dataset.cost && !input.did && !input.pdsUrl && !input.uri &&
		    !await ask(`Start ${form.dataset.start}?`, form.dataset.cost, 'Start'))
			return;
		button.disabled = true;
		try {
			await post('triggerBackfill', input);
			tell(`${form.dataset.start} is accepted.`);
			form.reset();
			form.closest('details').open = false;
			document.getElementById('active').scrollIntoView({ block: 'nearest' });
			refresh();
		} catch (error) {
			problem.textContent = error.message.replace(/^Input\//, '');
			if (error.id) {
				const other = document.createElement('a');
				other.href = `/op/${error.id}`;
				other.textContent = 'Look at it';
				problem.append(': ', other);
			}
			problem.hidden = false;
		} finally {
			button.disabled = false;
		}
	}

	async function cancel(form) {
		const button = form.querySelector('button');
		if (!await ask('Cancel this operation?', 'Its process is stopped now. What it has ' +
		    'brought into the index stays there.', 'Cancel it', true))
			return;
		button.disabled = true;
		try {
			const result = await post('cancelBackfill', { id: form.dataset.cancel });
			const text = result.message;
			tell(text.charAt(0).toUpperCase() + text.slice(1) + '.');
		} catch (error) {
			tell(error.message);
		}
		button.disabled = false;
		refresh();
	}

	document.addEventListener('submit', (event) => {
		const form = event.target;
		const act = form.dataset.start ? start : form.dataset.cancel ? cancel : null;
		if (!act) return;
		event.preventDefault();
		act(form);
	});

	tellTimes();
	setInterval(tellTimes, 5000);
	listen();
})();
