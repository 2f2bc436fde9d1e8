# ruff: noqa: E501 - tables and patterns read better on one line
"""English templates: what people write to agents, and narrative. Slots in braces are filled and labelled."""

# conversations, forms, letters, tickets
TASKS = r"""
Hi, my name is {person} and I need help with my order.
my name is {person}
i'm {given}, can you help?
Hello, this is {person} from {org}. Could you send me the invoice for {ref}?
Please update my address to {address}.
I moved recently, my new address is {address}. Thanks, {given}
Can you ship it to {address}?
Send the parcel to {person}, {address}
Deliver to:\n{person}\n{address}
{person}\n{address}
{person}\n{org}\n{address}
{person}\n{org}\n{address}\n{phone} office\n{phone} mobile
> {person}\n> {org}\n> {address}
>{person}\n>{org}\n>{address}
*** {person}\n*** {address}
Name: {person}\nAddress: {address}\nPhone: {phone}
Name:    {person}\nAddress:     {address}
name: {person}\nemail: {email}\ncity: {town}\ncountry: {country}
Full name: {person}\nDate of birth: {date}\nPlace of birth: {town}, {country}\nNationality: {nat}
Billing address: {person}\n    {address}
Shipping address: {address}
Our office is located at {address}.
Our {org} office in {town} is closed on {day}.
The {org} office is at {address}
The address of {org} is {address}
Where is {org}? It's at {address}, right next to the station.
I live at {address} with my family.
{person} lives at {address}.
{given} lives in {town}.
{given} lives on {street}.
He grew up on {street} and later moved to {town}.
Meet me at {address} after the show.
We'll meet {day} at {org}, {address}.
Can someone pick me up at {address}? I'll wait outside.
Book a taxi from {address} to {town} airport.
Turn left at {street}, then continue to {town}.
The restaurant at {address} serves great food.
How do I change the address on my card to {address}?
I lost my card, please send the new one to {address}. I'm in {town} until {day}.
My last name is {family}, not {family}.
What is your surname? {family}
Her maiden name was {family}.
First name: {given}\nLast name: {family}
Could you spell the name {family} for me please?
I would like to add {person} as a second account holder.
Please transfer {amount} to {person}.
The account belongs to {person}, born {date} in {town}.
Dear {title} {family},\n\nThank you for your letter of {date}. We will visit your site in {town} next week.\n\nKind regards,\n{person}\n{role}, {org}
Dear {given},\n\nPlease find attached the contract for {org}.\n\nBest,\n{given}
Hi {given},\ncan you forward this to {given} and {given}? Thanks!\n{given}
Hello team, {given} is out of office until {day}; contact {given} ({email}) instead.
From: {person} <{email}>\nTo: {person} <{email}>\nSubject: {ref} update\n\nHi {given}, the server is back.
@{given} could you review the pull request before {day}?
{given}: are you there?\n{given}: yes, one minute.\n{given}: ok
{given}: I never told {given} about it.\n{given}: Does {family} know?
Agent: what is your name? User: {person}. Agent: and your city? User: {town}
bot: where should we send it? user: {address}
Q: Who signed the contract? A: {person}, on behalf of {org}.
Summarise the meeting between {person} and {person} about the {org} merger.
Write an email to {person} declining the offer from {org}.
Draft a reply to {title} {family} who complains about the delivery in {town}.
Translate this note from {given} into French.
Rewrite this paragraph so that {given} sounds more polite.
Create a table of employees: {person}, {role}, {town}; {person}, {role}, {town}; {person}, {role}, {town}
{person} | {role} | {town} | {email}
{person};{email};{phone};{town};{country}
- {person} ({role})\n- {person} ({role})\n- {person}
Attendees: {person}, {person}, {given} {family} and {person}.
Participants: {given}, {given}, {given}\nApologies: {given}
1. {person} presented the budget.\n2. {person} asked about {town}.\n3. Next meeting on {date}.
Action: {given} to call {org} by {day}.
Owner: {given}. Reviewer: {person}. Due: {date}.
Ticket {ref}: {person} ({email}) cannot log in from the {town} office.
Ticket opened by {person}\nAssigned to {person}\nStatus: pending\nPriority: high
User {person} reports that the printer on floor {n} is offline.
Laptop of {given} {family} was stolen in {town}, {country}. Serial number {ref}.
Requester: {person}\nDepartment: {dept}\nSite: {town}\nDescription: VPN drops every {n} minutes.
The account of {person}, a {role} at {org}, was used from {town}.
{given} from {town} called, phone {phone}. Server name is srv-{n}.
Patient {person}, DOB {date}, was admitted in {town} with chest pain.
Employee {person} (id {ref}) requests parental leave from {date}.
HR note: {person} moves from {org} to the {dept} team in {town}.
Candidate: {person}. Current employer: {org}. Location: {town}, {country}.
{person} has worked as a {role} for {org} since {year}.
CV\n{person}\n{role}\n{address}\n{email}\n{phone}
Invoice {ref}\nBill to: {org}\n{address}\nAttention: {person}\nTotal: {amount}
Supplier {org} from {town} quoted {amount}, {org} quoted {amount}.
Compare the offers of {org}, {org} and {org}.
Contract between {org}, {address}, represented by {person}, and {org}.
I'd like a refund. The shop in {town} refused. Regards, {person}
Can you find flights from {town} to {town} on {date}?
I will travel to {country} next month, do I need a visa?
We are opening branches in {town}, {town} and {town}.
The {nat} delegation arrives in {town} on {day}.
Is {given} back from {country} yet?
Tell {given} I said hi.
Why is {given} always late?
Thanks {given}! See you {day}.
Congratulations to {person} and {person} on their promotion!
Sincerely,\n\n{person}\n{role}\n{org}\n{address}\n{phone}
Best regards,\n{person}
--\n{person}\n{org} | {town}\n{email}
cheers, {given}
signed {person}
cc {person}, {person}
The witness, {title} {person}, lives in {town}.
Mr. {family} flew to {town} on {day} morning.
Ms. {family} and Dr. {family} attended.
Prof. {person} teaches at {org}.
i am {person} and i live in {town}
i talked to {given} and {given} at {org} yesterday
please call {person} on {phone} about {address}
"""

NARRATIVE = r"""
{person} was born in {town} in {year} and moved to {country} as a child.
In {year}, {person} founded {org} together with {person}.
{org} was founded in {year} in {town}. Since then it has grown into one of the largest firms in {country}.
During {year}, {org} invested heavily in new plants near {town}.
"{person} changed everything," said {given} {family}, who now runs {org}.
The film, directed by {person} and starring {person}, was shot in {town}.
{person}'s second novel tells the story of {given}, a young woman from {town} who falls in love with {given}.
Unlike the {family} book, the series is set in {country}.
The song was written by {person} and recorded by {family} in {year}.
{family}'s band toured {country} and {country} before {given} left.
According to {person}, the company will move its headquarters from {town} to {town}.
{person}, a spokesman for {org}, declined to comment.
{title} {family} told reporters in {town} that talks with {country} would resume on {day}.
The president of {country}, {person}, met {person} in {town} on {date}.
{nat} troops left {town} after the agreement with {country}.
He met {given} at the market, where she was buying bread.
{given} smiled and closed the door. "Not today," she said to {given}.
When {given} arrived, {family} had already gone home.
The street was empty. {given} walked quickly towards the river, thinking of {given}.
Old {family} never spoke about the war.
Scientists at {org} led by {person} have discovered a new enzyme.
{person} et al. ({year}) showed a similar effect; see also {family} and {family} ({year}).
The match between {town} and {town} ended {n}-{n}; {family} scored twice.
{person} won the title in {town}, beating {person} of {country}.
{org} shares rose {n} percent after {person} resigned as {role}.
The {family} family has lived in {town} for three generations.
Title {n} of the Act of {year} protects individuals against discrimination on the basis of race, color, religion or national origin.
{country} and {country} signed a treaty in {town} in {year}.
The river flows from {country} through {town} to the sea.
A train between {town} and {town} was cancelled because of snow.
"""

COURT = r"""
The applicant, {title} {person}, is a {nat} national who was born in {year} and lives in {town}.
The applicants, {title} {person} and {title} {person}, were represented by {title} {family}, a lawyer practising in {town}.
The {nat} Government were represented by their Agent, {title} {person}, of the {org}.
On {date} the {town} District Court convicted the applicant of fraud and sentenced him to {n} years' imprisonment.
On {date} {person} lodged an appeal with the {town} Regional Court. The appeal was dismissed on {date}.
Judge {family} held that the defendant, {person}, had acted in bad faith.
The case originated in an application (no. {n}{n}/{n}) against {country} lodged with the Court by a {nat} national, {title} {person}, on {date}.
In a letter of {date} {title} {family} informed the applicant that his claim against {org} had been rejected.
The witness {given} {family} stated that he had seen {person} in {town} on the evening of {date}.
{person} v. {country}, judgment of {date}.
{family} v. {org} [{year}] concerned a lease of premises at {address}.
The plaintiff {person}, residing at {address}, sues {org} for breach of contract.
Counsel for the defence, {title} {family}, argued that {given} {family} was a minor at the time.
The prosecutor in {town} requested that {family} be detained in {town} Prison pending trial.
The applicant was arrested in {town} and taken to the police station, where Officer {family} questioned him.
His wife, {given}, and their children {given} and {given} joined him in {country} in {year}.
The Supreme Court of {country} upheld the decision; {title} {family} dissented.
"""

PLAIN = r"""
Write a short summary of the document in three bullet points.
Draft a polite reply declining the meeting.
Please translate the following text into French.
Summarise the attached report and list the open questions.
Rewrite this email in a friendlier tone.
Explain the difference between gross and net margin.
Create a checklist for onboarding a new colleague.
Invoice
Total amount due: {amount}
Happy New Year to everyone!
Merry Christmas and all the best for the new year.
Good morning team,
Dear Sir or Madam,
To whom it may concern,
Kind regards
Best wishes,
Yours faithfully
What is the deadline for the expense report?
How many days of leave do I have left?
The meeting is moved to {time} in room {n}.
Please find attached the minutes of the meeting.
Error {n}: Connection refused by host on port {n}
INFO Starting worker process, cache enabled, queue empty
[{date} {time}] KERNEL: write cache: enabled, read cache: enabled
[{date} {time}] SSHD: Accepted password from port {n} ssh2
WARN Retry attempt {n} of {n} failed: Timeout
Traceback (most recent call last): ValueError: invalid literal
DEBUG Session started background task
Windows Update failed with code {ref}. Reboot required.
Outlook keeps asking for credentials since the last patch.
Reset Password link has expired.
Status: In Progress\nPriority: High\nCategory: Network
Quarterly Results\nRevenue grew by {n} percent.
Agenda\n1. Budget\n2. Hiring\n3. Any Other Business
Terms and Conditions apply. See Section {n} for details.
Step {n}: Open Settings, then choose Security and Privacy.
Account Number, Sort Code and Branch are required.
Our Privacy Policy and Code of Conduct were updated.
The Annual General Meeting takes place on {date}.
Project Phoenix is on track; Sprint {n} ends on {day}.
Human Resources, Finance and Legal must approve the request.
Use Python to compute the average of column B.
Sort the table by Revenue and plot it as a bar chart.
Marketing Manager, Sales Director, Chief Financial Officer
Chapter {n}: Introduction to Machine Learning
Is the Data Protection Officer involved in this?
Excel, Word and PowerPoint files are supported.
Thank you for your patience, we will get back to you soon.
Let me know if you have any questions.
My card number is not accepted by the website.
Our supplier raised prices by {n} percent this quarter.
Question: what does Net Promoter Score mean? Answer: it measures loyalty.
Password policy: at least {n} characters, one digit, one symbol.
Title\tOwner\tStatus\nDatabase migration\tPlatform Team\tDone
Monday to Friday, {time} to {time}
Full Name, Address, Phone Number and Email are mandatory fields.
Hello, I can't log in anymore. Can you help me?
Can I carry over unused vacation days to next year?
select Name, City from Customers where Country is not null
"""
