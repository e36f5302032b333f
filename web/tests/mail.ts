// The mails of the system under test, read from its mail catcher, which has Mailpit's API.
import { until } from './world';

export interface Mail {
  ID: string;
  Subject: string;
  Text: string;
  HTML: string;
  Attachments: { PartID: string; FileName: string; ContentType: string }[];
}

const catcher = process.env.FRONTROW_MAIL_URL;

/** Whether the system has a mail catcher. Without one, it does not require verified e-mails. */
export const hasCatcher = (): boolean => Boolean(catcher);

async function fetched(path: string): Promise<Response> {
  if (!catcher) throw new Error('FRONTROW_MAIL_URL is not set: the system has no mail catcher');
  const answer = await fetch(catcher + path);
  if (!answer.ok) throw new Error(`mail catcher: GET ${path}: ${answer.status}`);
  return answer;
}

/** The mails to an address, newest first. */
export async function mails(to: string): Promise<Mail[]> {
  const query = new URLSearchParams({ query: `to:"${to}"` });
  const found = (await (await fetched(`/api/v1/search?${query}`)).json()) as { messages: { ID: string }[] };
  return Promise.all(
    found.messages.map(async ({ ID }) => (await (await fetched(`/api/v1/message/${ID}`)).json()) as Mail),
  );
}

/** The newest mail to an address that fits, when it has arrived. */
export async function mailTo(to: string, fits: RegExp | ((mail: Mail) => boolean)): Promise<Mail> {
  const good = fits instanceof RegExp ? (mail: Mail) => fits.test(mail.Subject) : fits;
  let found: Mail | undefined;
  let subjects: string[] = [];
  await until(
    async () => {
      const all = await mails(to);
      subjects = all.map(({ Subject }) => Subject);
      return (found = all.find(good)) !== undefined;
    },
    60_000,
    () => `no such mail to ${to}, but: ${subjects.join(', ')}`,
  );
  return found as Mail;
}

/** The path of the newest link to a page with a token, such as /verify#token=…, when it has arrived. */
export async function mailedLink(to: string, page: string): Promise<string> {
  const link = new RegExp(`${page}#token=[\\w-]+`);
  const mail = await mailTo(to, ({ Text }) => link.test(Text));
  return link.exec(mail.Text)?.[0] ?? '';
}

export async function mailedToken(to: string, page: string): Promise<string> {
  return (await mailedLink(to, page)).split('=')[1] ?? '';
}

/** The content of a mail's attachment whose name ends so. */
export async function attachment(mail: Mail, ending: string): Promise<Buffer> {
  const part = mail.Attachments.find(({ FileName }) => FileName.endsWith(ending));
  if (!part) throw new Error(`${mail.Subject} has no ${ending}: ${JSON.stringify(mail.Attachments)}`);
  return Buffer.from(await (await fetched(`/api/v1/message/${mail.ID}/part/${part.PartID}`)).arrayBuffer());
}
