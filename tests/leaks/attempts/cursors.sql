begin;
declare c cursor for select email from people;
fetch all from c;
commit;

begin;
declare c cursor for select upper(email), city from people;
fetch 1 from c;
fetch forward all from c;
commit;

begin;
declare c scroll cursor for select email || '' as city from people order by id;
fetch last from c;
fetch prior from c;
fetch absolute 2 from c;
fetch backward all from c;
commit;

begin;
declare c binary cursor for select email, mobile, birth_date from people;
fetch all from c;
commit;

begin;
declare c cursor with hold for select ssn from people;
commit;
fetch all from c;
close c;

begin;
declare "C d" cursor for select city, email from people;
fetch next "C d";
commit;

begin;
declare c cursor for select city from people;
close c;
declare c cursor for select email from people;
fetch all from c;
commit;

begin;
declare c cursor for select city from people;
savepoint s;
close c;
declare c cursor for select upper(email) as city from people;
fetch 2 from c;
rollback to s;
commit;

begin;
declare c cursor for select * from people for update;
fetch 1 from c;
update people set login_count = 1 where current of c returning email;
rollback;

begin;
declare c cursor for select handle from contacts;
fetch all from c;
commit;

begin;
declare c cursor for values ((select email from people limit 1));
fetch all from c;
commit;

begin;
select opens('later');
fetch all from later;
commit;

prepare p as select email from people;
execute p;
execute p;

prepare p(int) as select upper(email), city from people where id = $1;
execute p(1);
execute p(2);

prepare p as select city from people;
deallocate p;
prepare p as select email as city from people;
execute p;

prepare p as update people set login_count = 2 where id = 1 returning email, phone;
execute p;

prepare "P p" as table people;
execute "P p";

prepare p as values ((select email || '' from people limit 1), 1);
explain execute p;
execute p;

create temp table t as select 1 as a;
prepare p as select email as a from people;
create temp table t2 as execute p;
select a from t2;

begin;
declare c cursor for select city from people;
declare d cursor for select phone from people;
fetch all from c;
fetch all from d;
commit;

begin;
declare c cursor for execute p;
commit;
prepare p as select email from people;
execute p;

-- simple
begin; declare c cursor for select email from people; fetch all from c; commit;

-- simple
prepare q as select upper(email) from people; execute q;

begin;
prepare p as select mobile, first_name from people;
rollback;
execute p;
