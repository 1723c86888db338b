// An SMS centre on loopback for the tests: npm `smpp` does the protocol, this file only decides
// how it behaves. Commands come as JSON lines on standard input, what happens goes out the same way.
//
// {"behave": {...}} sets any of `how`; {"mo": {...}} brings a text, n times at once with "times";
// {"drop": true} breaks every connection; {"unbind": true} ends them politely.
'use strict';
const fs = require('fs');
const readline = require('readline');
const smpp = require('smpp');

const how = {
  password: 'geheim', // what the login needs
  delay_ms: 0, // before a submit is answered
  status: {}, // number -> command_status that its texts are refused with
  throttle: 0, // so many submits are refused with ESME_RTHROTTLED
  every: 0, // command_status for every submit
  mute: false, // submits are never answered
  close: false, // the connection is broken instead of an answer to a submit
  receipt: '', // DELIVRD, UNDELIV...: sent for each submit that asks for one
  receipt_times: 1,
  receipt_hex: false, // answers count in hex, receipts in decimal
  again_ms: 300, // a text that was refused for now is brought again after so long
};
let last = 1000;
let inFlight = 0;
let most = 0;
const sessions = new Set();
const kept = new Map(); // what we were not told to have been taken: brought again to whoever binds
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const hex = (bytes) => Buffer.from(bytes).toString('hex');

function submitted(session, pdu) {
  inFlight += 1;
  most = Math.max(most, inFlight);
  const body = pdu.short_message;
  say({
    submitted: {
      to: pdu.destination_addr, from: pdu.source_addr, ton: pdu.source_addr_ton,
      npi: pdu.source_addr_npi, dest_ton: pdu.dest_addr_ton, dest_npi: pdu.dest_addr_npi,
      coding: pdu.data_coding, esm: pdu.esm_class, text: body.message.toString(),
      udh: (body.udh || []).map(hex), payload: pdu.message_payload && pdu.message_payload.message,
      receipt: pdu.registered_delivery, valid: pdu.validity_period !== '',
      sar: pdu.sar_total_segments
        && [pdu.sar_msg_ref_num, pdu.sar_total_segments, pdu.sar_segment_seqnum],
      in_flight: inFlight,
    },
  });
  if (how.mute) return;
  if (how.close) {
    session.destroy();
    return;
  }
  setTimeout(() => answer(session, pdu), how.delay_ms);
}

function answer(session, pdu) {
  inFlight -= 1;
  let status = how.status[pdu.destination_addr] || how.every;
  if (!status && how.throttle > 0) {
    how.throttle -= 1;
    status = smpp.ESME_RTHROTTLED;
  }
  if (status) {
    session.send(pdu.response({ command_status: status }));
    return;
  }
  last += 1;
  const id = last;
  session.send(pdu.response({ message_id: how.receipt_hex ? id.toString(16) : String(id) }));
  if (how.receipt && pdu.registered_delivery) {
    for (let n = 0; n < how.receipt_times; n += 1) receipt(session, pdu, id);
  }
}

function receipt(session, pdu, id) {
  bring(session, {
    source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, esm_class: 4,
    short_message: Buffer.from(
      `id:${id} sub:001 dlvrd:001 submit date:2611220605 done date:2611220606 `
      + `stat:${how.receipt} err:000 text:Power`,
    ),
  }, `receipt ${id}`);
}

function bring(session, fields, name, key = Symbol(name)) {
  kept.set(key, { fields, name, session });
  // the library changes what it sends
  session.deliver_sm({ ...fields }, (response) => {
    kept.delete(key);
    say({ answered: { name, status: response.command_status } });
    const later = [smpp.ESME_RX_T_APPN, smpp.ESME_RMSGQFUL, smpp.ESME_RSYSERR];
    if (later.includes(response.command_status)) {
      kept.set(key, { fields, name });
      setTimeout(bringKept, how.again_ms, session);
    }
  });
}

function bringKept(session) {
  if (!sessions.has(session)) return;
  [...kept].forEach(([key, one]) => {
    // what another connection has not answered yet is on its way
    if (!sessions.has(one.session)) bring(session, one.fields, one.name, key);
  });
}

function mo(command) {
  const fields = {
    source_addr: command.from, source_addr_ton: command.ton === undefined ? 1 : command.ton,
    source_addr_npi: 1, destination_addr: command.to || '3280', data_coding: command.coding || 0,
    esm_class: command.esm || 0, short_message: Buffer.from(command.octets || '', 'hex'),
  };
  if (command.payload) fields.message_payload = Buffer.from(command.payload, 'hex');
  if (command.sar) {
    [fields.sar_msg_ref_num, fields.sar_total_segments, fields.sar_segment_seqnum] = command.sar;
  }
  const session = [...sessions].find((one) => one.mode !== 'transmitter');
  if (!session) kept.set(Symbol(command.name), { fields, name: command.name });
  else for (let n = 0; n < (command.times || 1); n += 1) bring(session, fields, command.name);
}

function arrive(session) {
  session.on('error', () => session.destroy());
  session.on('close', () => {
    if (sessions.delete(session)) say({ gone: session.mode });
    inFlight = 0;
  });
  session.on('unbind', (pdu) => {
    session.send(pdu.response());
    session.close();
  });
  session.on('enquire_link', (pdu) => {
    say({ enquired: true });
    session.send(pdu.response());
  });
  session.on('submit_sm', (pdu) => submitted(session, pdu));
  for (const mode of ['transceiver', 'transmitter', 'receiver']) {
    session.on(`bind_${mode}`, (pdu) => {
      const fits = pdu.password === how.password;
      session.send(pdu.response({ command_status: fits ? 0 : smpp.ESME_RINVPASWD }));
      if (!fits) return;
      session.mode = mode;
      sessions.add(session);
      if (mode !== 'transmitter') setTimeout(bringKept, how.again_ms, session);
      say({ bound: { mode, system_id: pdu.system_id, system_type: pdu.system_type } });
    });
  }
}

const [port, key, cert] = process.argv.slice(2);
const options = key ? { key: fs.readFileSync(key), cert: fs.readFileSync(cert) } : {};
const server = smpp.createServer(options, arrive);
server.listen(Number(port), '127.0.0.1', () => say({ listening: server.address().port }));
readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const command = JSON.parse(line);
  if (command.behave) Object.assign(how, command.behave);
  if (command.mo) mo(command.mo);
  if (command.drop) sessions.forEach((session) => session.destroy());
  if (command.unbind) sessions.forEach((session) => session.unbind(() => session.close()));
  if (command.most) {
    say({ most });
    most = 0;
  }
}).on('close', () => process.exit(0));
